import { codeOf, knownError } from '../../domain/error.ts'
import type { Control } from '../../domain/control.ts'
import type { Receipt } from '../../domain/deployment.ts'
import type { ReleaseCommands } from '../../domain/engine.ts'
import type { Formation } from '../../domain/manifest.ts'
import { yieldingKinds, type Operation } from '../../domain/operation.ts'
import type { NoticedPort } from '../../domain/noticed-port.ts'
import { appOwner } from '../../domain/owner.ts'
import type { Plan } from '../../domain/plan.ts'
import { liveTimers, plannedTimers } from '../../domain/timer-plan.ts'
import { askPorts } from '../ask-ports.ts'
import { noticedAfter, portsToAsk } from '../../domain/ports-to-ask.ts'
import type { Context } from '../context.ts'
import { endpointsOf } from '../endpoints.ts'
import type { PromoteResult } from '../operations.ts'
import { phraseTarget } from '../read-release.ts'
import { switchVolumes } from '../volume-data/current-volumes.ts'

/** What a change makes live, and what is live until then. */
export interface Move {
  plan: Plan
  live: Plan | null
}

/**
 * Deploys under a journal row and closes it, whatever the end. What was deployed and could not be recorded leaves its
 * row open: whoever recovers that finds nothing more to do and records it.
 */
export async function carryOut(
  context: Context,
  operation: Operation,
  move: Move,
  control: Control,
): Promise<PromoteResult> {
  const { app } = operation
  const { release } = move.plan
  const receipt = await deploy(context, operation, move, control)
  // Before the row is closed: what recovers it finds the same, and writes it again.
  await switchVolumes(context, app, operation.intent.mounted ?? {})
  const formation = formationOf(move.plan)
  const now = context.now()
  const timers = liveTimers(move.plan, now)
  const noticed = await noticePorts(context, operation, move.plan, control)
  const result = { liveRelease: release, formation, receipt, timers, noticed }
  await context.store.operations.complete(operation.id, result)
  const endpoints = endpointsOf(context.engine, move.plan)
  const named = await namedNext(context, app, noticed, move.plan)
  const promoted = { app, release, receipt, endpoints, timers: plannedTimers(move.plan, now) }
  return named.length > 0 ? { ...promoted, noticed: named } : promoted
}

/**
 * What raw ports of what has just become live speak: a promote asks those that nobody has asked of this build. The answer
 * is kept with the change, so that no plan depends on what happens while it runs.
 */
async function noticePorts(
  context: Context,
  { app, kind }: Operation,
  plan: Plan,
  control: Control,
): Promise<NoticedPort[]> {
  const known = await context.store.noticedPorts.get(app)
  const isAsked = kind === 'promote' || kind === 'rollback'
  const ports = isAsked ? portsToAsk(plan, known) : []
  return noticedAfter(plan, known, await askPorts(context, appOwner(app), ports, control))
}

/** What the next change serves by name, and this one does not; where, as far as it can be told. */
async function namedNext(
  context: Context,
  app: string,
  noticed: NoticedPort[],
  { release, processes }: Plan,
): Promise<NonNullable<PromoteResult['noticed']>> {
  const named = noticed.filter(({ speaksHttp, isServed }) => speaksHttp && !isServed)
  if (named.length === 0) return []
  const urls = await urlsOfNext(context, app, release)
  return named.flatMap(({ process, port }) => {
    const nameless = processes.find(({ type }) => type === process)?.nameless
    const found = urls.find((one) => one.process === process && one.url.startsWith('http'))
    return nameless ? [{ process, port, external: nameless.external, url: found?.url ?? null }] : []
  })
}

/** What is live is recorded: nothing that is only told may make it fail. */
async function urlsOfNext(
  context: Context,
  app: string,
  release: string,
): Promise<PromoteResult['endpoints']> {
  try {
    const { plan } = await phraseTarget(context, { app, release, underPolicy: false })
    return endpointsOf(context.engine, plan)
  } catch (error) {
    context.log('warn', `the next addresses of ${app} cannot be told`, { code: codeOf(error) })
    return []
  }
}

async function deploy(
  context: Context,
  operation: Operation,
  move: Move,
  control: Control,
): Promise<Receipt> {
  const { leaving = [], surges } = operation.intent
  const releaseCommands = commandsOf(context, operation)
  let end = closeFailed
  const onHalfUndone = () => void (end = leaveToRecovery)
  try {
    return await context.engine.deploy({ ...move, leaving, releaseCommands, surges, onHalfUndone }, control)
  } catch (error) {
    // A daemon that stops leaves the row open; the next start recovers it.
    if (!context.running.isInterrupted()) await end(context, operation, error)
    throw error
  }
}

/** Its row stays open, and says that it has failed: whoever takes it up goes on with the way back. */
async function leaveToRecovery(context: Context, operation: Operation, error: unknown): Promise<void> {
  const { id, kind, app } = operation
  try {
    await context.store.operations.note(id, { failure: toldOf(error) })
  } catch (failure) {
    context.log('warn', `${kind} ${id} of ${app} does not say that it has failed`, { code: codeOf(failure) })
  }
}

function toldOf(error: unknown): NonNullable<Operation['error']> {
  const { code, message, hint, details } = knownError(error)
  return { code, message, ...(hint !== undefined && { hint }), ...(details !== undefined && { details }) }
}

/** The row says which release commands its promote runs, and which have begun or ended: no engine remembers that. */
function commandsOf({ store }: Context, { id, intent }: Operation): ReleaseCommands {
  const noted = intent.releaseCommands ?? { due: [], begun: [], done: [] }
  let { begun, done } = noted
  return {
    due: noted.due.filter((type) => !noted.done.includes(type)),
    begun: noted.begun,
    async note(type, state) {
      if (state === 'begun') begun = [...begun, type]
      else done = [...done, type]
      await store.operations.note(id, { releaseCommands: { due: noted.due, begun, done } })
    },
  }
}

/**
 * Closes a row whose work was undone. Never throws, so that the caller's own error is told; a row that cannot be closed
 * now is closed by whoever recovers it.
 */
export async function closeFailed(context: Context, operation: Operation, error: unknown): Promise<void> {
  await closeWith(context, operation, toldOf(error))
}

/** The same with an end that was written down before. */
export async function closeWith(
  context: Context,
  operation: Operation,
  told: NonNullable<Operation['error']>,
): Promise<void> {
  const status = told.code === 'cancelled' ? 'cancelled' : 'failed'
  try {
    await context.store.operations.fail(operation.id, status, told, statusAfter(operation))
  } catch (failure) {
    const facts = { code: codeOf(failure) }
    context.log('warn', `${operation.kind} ${operation.id} of ${operation.app} stays open`, facts)
  }
}

/** What was live before is live still; only a deletion may have taken part of it away. A build changes nothing. */
function statusAfter({ kind, intent }: Operation): 'running' | 'failed' | undefined {
  if (kind === 'build' || kind === 'run' || yieldingKinds.has(kind)) return undefined
  return intent.previousRelease && kind !== 'delete' ? 'running' : 'failed'
}

function formationOf(plan: Plan): Record<string, Formation> {
  return Object.fromEntries(
    plan.processes.map(({ type, count, cpuUnits, memoryBytes }) => [type, { count, cpuUnits, memoryBytes }]),
  )
}
