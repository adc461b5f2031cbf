import type { ProcessPlan } from '../../../domain/plan.ts'
import {
  createCopy,
  removeCopy,
  startCopy,
  StartError,
  waitForExit,
  type Copy,
} from '../containers/copies.ts'
import { deployFailed, lastLines, startFailed } from './copy-failure.ts'
import { identityOf } from './phrase.ts'
import type { Deploy } from './start-type.ts'
import { endedOutOfMemory } from '../containers/out-of-memory.ts'

/** Runs the release commands of a plan, one after another, before anything else of the release starts. */
export async function runReleaseCommands(deploy: Deploy, signal: AbortSignal): Promise<void> {
  const { parts, plan, trace } = deploy
  const processes = plan.processes.filter(({ releaseCommand }) => releaseCommand !== null)
  if (processes.length === 0 || (await parts.markers.has(plan.app, plan.release))) return
  for (const process of processes) {
    await trace.phase('release command', process.type, () => runOne(deploy, process, signal))
  }
  await parts.markers.set(plan.app, plan.release)
}

async function runOne(deploy: Deploy, plan: ProcessPlan, signal: AbortSignal): Promise<void> {
  const { parts, operation, started } = deploy
  const { app, release } = deploy.plan
  const command = plan.releaseCommand ?? []
  const about = { app, release, kind: 'release-command' as const, operation, plan, names: [] }
  try {
    const copy = await createCopy(parts, { ...about, command, identity: identityOf(plan) }, { signal })
    started.push(copy)
    await startCopy(parts, copy, { signal })
    const exitCode = await waitForExit(parts, copy.container, { signal })
    if (exitCode !== 0) throw await commandFailed(deploy, copy, exitCode, signal)
    await removeCopy(parts, copy, { signal })
    started.splice(started.indexOf(copy), 1)
  } catch (error) {
    throw error instanceof StartError ? startFailed(plan, error) : error
  }
}

async function commandFailed({ parts }: Deploy, copy: Copy, exitCode: number, signal: AbortSignal) {
  const isOutOfMemory = await endedOutOfMemory(parts.docker, copy.container, { signal })
  const reason = isOutOfMemory ? ('out-of-memory' as const) : ('command-failed' as const)
  const lines = await lastLines(parts, copy, { signal })
  return deployFailed([
    { process: copy.process, type: copy.type, reason, exitCode, lastLines: lines, probe: null },
  ])
}
