import { createHash } from 'node:crypto'
import { copyIdentity } from '../../../domain/copy-identity.ts'
import type { ProcessPlan } from '../../../domain/plan.ts'
import type { ObservedCopy } from '../../../rollout/runtime.ts'
import type { DockerClient } from '../client.ts'
import type { ContainerState } from '../containers/docker-types.ts'
import type { FoundCopy } from '../containers/found-copy.ts'
import { volumeName } from '../containers/names.ts'
import { hasEndedByItself } from '../containers/own-end.ts'

/** A label has no room for the whole text, which holds secrets. */
export function identityOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** The identity of a copy that restarts with no other type's, such as a one-off. */
export function ownIdentity(processPlan: ProcessPlan): string {
  return identityOf(copyIdentity(processPlan))
}

const states: Record<ContainerState, ObservedCopy['state']> = {
  created: 'created',
  // One that is being taken away by another hand has no future here either.
  removing: 'created',
  dead: 'created',
  running: 'running',
  paused: 'running',
  restarting: 'restarting',
  exited: 'ended',
}

/** A container in the words of the rollout. */
export async function observe(
  docker: DockerClient,
  found: FoundCopy,
  names: string[],
  control: { signal: AbortSignal },
): Promise<ObservedCopy> {
  const { type, kind, release, identity, createdMs, exitCode, mark, drainMs } = found
  const own = volumeName(found.rack, found.owner, '')
  // Half way through being named, or frozen by it: as one without names, it is named anew.
  const isWhole = found.address !== null && found.state !== 'paused'
  const state = Date.parse(found.startedAt) > 0 ? states[found.state] : 'created'
  // Only a good end may be the one that a type is for.
  const mayBeOver = state === 'ended' && exitCode === 0 && mark !== 'parked' && found.restart !== 'always'
  return {
    process: found.process,
    type,
    kind,
    release,
    identity,
    createdMs,
    state,
    exitCode: state === 'ended' ? exitCode : null,
    endedByItself: mayBeOver && (await hasEndedByItself(docker, found, control)),
    mark,
    names: isWhole ? names : [],
    drainMs,
    volumes: found.volumes.map((name) => (name.startsWith(own) ? name.slice(own.length) : name)),
  }
}
