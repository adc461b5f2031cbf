import { surgeOf } from '../domain/admission.ts'
import { maskText, type Environment } from '../domain/environment.ts'
import { RackError } from '../domain/error.ts'
import { changedTypes, planRelease, type Plan, type ProcessPlan } from '../domain/plan.ts'
import type { Port } from '../domain/port.ts'
import { addResources, noResources } from '../domain/rack.ts'
import { maskRouting } from '../domain/routing.ts'
import { formatBytes } from '../lib/sizes.ts'
import type { Context } from './context.ts'
import { findApp, releaseLiveBefore } from './find.ts'
import type { ProcessChange, ReleaseDiff } from './operations.ts'
import { readRelease } from './read-release.ts'
import { nameChanges } from './set-environment.ts'

/** What a promote of one release over another would change; values of variables stay out of it. */
export async function diffReleases(
  context: Context,
  app: string,
  range: { from?: string; to?: string },
): Promise<ReleaseDiff> {
  const { from, to } = await rangeOf(context, app, range)
  const read = (release: string) => readRelease(context, app, release, { underPolicy: false })
  const [before, after] = await Promise.all([read(from), read(to)])
  const [old, next] = [planRelease(before), planRelease(after)]
  const restarts = changedTypes(next, old)
  const surge = next.processes
    .filter(({ type, stopFirst }) => restarts.has(type) && !stopFirst)
    .reduce((sum, process) => addResources(sum, process, surgeOf(process)), noResources)
  return {
    from,
    to,
    environment: nameChanges(before.environment, after.environment),
    processes: maskChanges(processChanges(old, next), [before.environment, after.environment]),
    restarts: [...restarts],
    surge,
  }
}

async function rangeOf(context: Context, app: string, { from, to }: { from?: string; to?: string }) {
  const { release: live } = await findApp(context, app)
  const newest = to ?? (await context.store.releases.newest(app))?.id
  // When the newest is live already, what it replaced is what one wants to see.
  const before = newest && newest === live ? ((await releaseLiveBefore(context, app, live)) ?? live) : live
  const oldest = from ?? before
  if (newest && oldest) return { from: oldest, to: newest }
  throw new RackError('conflict', `${app} has no two releases to compare`, {
    hint: `rack releases --app ${app}`,
  })
}

function processChanges(old: Plan, next: Plan): ProcessChange[] {
  const before = new Map(old.processes.map((process) => [process.type, process]))
  const after = new Map(next.processes.map((process) => [process.type, process]))
  const types = [...new Set([...before.keys(), ...after.keys()])].sort()
  return types.flatMap((type): ProcessChange[] => {
    const [was, is] = [before.get(type), after.get(type)]
    if (!was) return [{ type, change: 'added', fields: [] }]
    if (!is) return [{ type, change: 'removed', fields: [] }]
    const fields = changedFields(was, is)
    return fields.length > 0 ? [{ type, change: 'changed', fields }] : []
  })
}

/** A command may hold what the compose file took from the environment. */
function maskChanges(changes: ProcessChange[], environments: Environment[]): ProcessChange[] {
  const masked = (text: string | null) =>
    text && environments.reduce((words, environment) => maskText(words, environment), text)
  return changes.map((change) => ({
    ...change,
    fields: change.fields.map(({ name, from, to }) => ({ name, from: masked(from), to: masked(to) })),
  }))
}

/** Each field in words; variables by name. */
const fieldTexts: Record<string, (process: ProcessPlan) => string> = {
  image: ({ image }) => image,
  command: ({ entrypoint, command }) => [...(entrypoint ?? []), ...(command ?? [])].join(' '),
  variables: ({ environment }) => Object.keys(environment).sort().join(' '),
  ports: ({ ports }) => ports.map(portText).join(' '),
  router: ({ routing }) => JSON.stringify(maskRouting(routing)),
  agent: ({ isAgent }) => String(isAgent),
  count: ({ count }) => String(count),
  limits: ({ cpuUnits, memoryBytes }) => `${cpuUnits} units, ${formatBytes(memoryBytes)}`,
  mounts: ({ mounts }) =>
    mounts.map((mount) => `${mount.kind === 'volume' ? mount.volume : mount.kind}:${mount.path}`).join(' '),
  'reached as': ({ aliases, hosts }) => [...aliases, ...hosts].join(' '),
  health: ({ health }) => JSON.stringify(health),
  healthcheck: ({ healthcheck }) => JSON.stringify(healthcheck),
  user: ({ user }) => user ?? '',
  'release command': ({ releaseCommand }) => releaseCommand?.join(' ') ?? '',
}

function portText({ external, container, protocol, proxy, secure }: Port): string {
  const manners = `${proxy ? '+proxy' : ''}${secure ? '+secure' : ''}`
  return `${external ?? ''}:${container}/${protocol}${manners}`
}

function changedFields(was: ProcessPlan, is: ProcessPlan): ProcessChange['fields'] {
  return Object.entries(fieldTexts).flatMap(([name, text]) => {
    const [from, to] = [text(was), text(is)]
    return from === to ? [] : [{ name, from: from || null, to: to || null }]
  })
}
