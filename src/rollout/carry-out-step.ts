import type { Control } from '../domain/control.ts'
import type { CopyFailure } from '../domain/deployment.ts'
import type { Change } from '../domain/engine.ts'
import { RackError } from '../domain/error.ts'
import { DeadlineError, withDeadline } from '../lib/deadline.ts'
import { together } from '../lib/together.ts'
import { deployFailed } from './failure.ts'
import { gateRules } from './gate.ts'
import { guardCopy, type Guard } from './guard.ts'
import { passGate, type GateCandidate } from './pass-gate.ts'
import { isNamed, isUp } from './progress.ts'
import type { CopyOrder, ObservedCopy, Runtime } from './runtime.ts'
import type { Step } from './state.ts'
import type { Target, TypeTarget } from './target.ts'
import type { RolloutTrace } from './trace.ts'

/** One rollout while it runs. */
export interface Rollout {
  runtime: Runtime
  change: Change
  trace: RolloutTrace
  /** Process ids of what was there when it began. */
  before: ReadonlySet<string>
  /** Process ids of the copies that it has started: they go when it fails. */
  started: Set<string>
  /** Of copies that have come through their gate, by process id. */
  guards: Map<string, Guard>
  /** By type of which no copy is left to serve, ms since this process began. */
  awaySince: Map<string, number>
  /** True once something was done that would have to be undone. */
  hasBegun: boolean
  /** True once the old copies were told to leave. */
  hasLeft: boolean
}

type Handler<Do extends Step['do']> = (
  rollout: Rollout,
  target: Target,
  step: Extract<Step, { do: Do }>,
  control: Control,
) => Promise<ObservedCopy[]>

/** Each gives the copies that it has made or changed, as they are then. */
const handlers: { [Do in Step['do']]: Handler<Do> } = {
  remove: async ({ runtime }, _target, { copies }, control) => {
    await runtime.remove(copies, control)
    return []
  },
  command: async (rollout, target, { type }, control) =>
    await runCommand(rollout, target, typeOf(target, type), control),
  vacate: vacateVolumes,
  prepare: prepareCopies,
  park: async ({ runtime, awaySince }, target, { type, copies, isLast }, control) => {
    if (isLast) awaySince.set(type, performance.now())
    const { holdMs } = typeOf(target, type).plan
    const gap = isLast && holdMs > 0 ? { longestDrainMs: holdMs / drainsOfHold, holdMs } : null
    await runtime.park(copies, gap, control)
    return copies.map((copy) => ({ ...copy, mark: 'parked', state: 'ended', names: [] }))
  },
  start: startCopies,
  revive: async ({ runtime }, target, { type, copies }, control) => {
    const { plan } = typeOf(target, type)
    return await onEach(copies, control, async (copy, inner) => {
      const revive = async () => await runtime.revive(copy, plan, inner)
      return target.isUndo ? await asItIs(copy, revive, inner) : await revive()
    })
  },
  prove: proveCopies,
  name: async ({ runtime }, target, { type, copies }, control) => {
    const names = typeOf(target, type).plan.aliases
    return await onEach(copies, control, async (copy, inner) => {
      await runtime.name(copy, names, inner)
      return { ...copy, names }
    })
  },
  settle: async ({ runtime }, target, { copies }, control) =>
    await onEach(copies, control, async (copy, inner) => {
      const { plan } = typeOf(target, copy.type)
      if (!target.isUndo) return await settleCopy(runtime, plan, copy, inner)
      return await asItIs(copy, async () => await restoreCopy(runtime, plan, copy, inner), inner)
    }),
  route: async ({ runtime }, { plan }, { processes }, control) => {
    await runtime.route(plan, processes, control)
    return []
  },
  watch: watchCopies,
  retire: async ({ runtime }, _target, { copies }, control) => {
    await runtime.retire(copies, control)
    return copies.map((copy) => ({ ...copy, mark: 'draining' }))
  },
}

/** How much longer than its drain and its stop the leaving of a copy may take. */
const vacateMarginMs = 60_000

/** How long requests wait for what served before; then they are let in all the same. */
const backDeadlineMs = 30_000

/** Of the time that requests wait, the part in which connections of before may end; the rest is for the start. */
const drainsOfHold = 3

/** What a phase of the trace is called. */
const phases: Record<Step['do'], string> = {
  remove: 'clear',
  command: 'release command',
  vacate: 'wait for the volume',
  prepare: 'create',
  park: 'stop',
  start: 'start',
  revive: 'start',
  prove: 'check',
  name: 'name',
  settle: 'name',
  route: 'route',
  watch: 'watch',
  retire: 'leave',
}

/** Does one step by the runtime's verbs; gives the copies that it has made or changed, as they are then. */
export async function carryOutStep<Do extends Step['do']>(
  rollout: Rollout,
  target: Target,
  step: Extract<Step, { do: Do }>,
  control: Control,
): Promise<ObservedCopy[]> {
  const handler: Handler<Do> = handlers[step.do]
  const type = 'type' in step ? step.type : null
  return await rollout.trace.phase(phases[step.do], type, () => handler(rollout, target, step, control))
}

function typeOf({ types }: Target, name: string): TypeTarget {
  return types.find(({ plan }) => plan.type === name)!
}

async function startCopies(
  { runtime, started }: Rollout,
  target: Target,
  { type, count }: { type: string; count: number },
  { signal, report }: Control,
): Promise<ObservedCopy[]> {
  const order = orderOf(target, type)
  const starts = Array.from({ length: count }, () => async (inner: AbortSignal) => {
    const copy = await runtime.start(order, { signal: inner, report })
    started.add(copy.process)
    return copy
  })
  return await together(signal, starts)
}

/** Nothing of them is known yet: they are no more than a start that will be quicker. */
async function prepareCopies(
  { runtime }: Rollout,
  target: Target,
  { type, count }: { type: string; count: number },
  { signal, report }: Control,
): Promise<ObservedCopy[]> {
  const order = orderOf(target, type)
  const makes = Array.from({ length: count }, () => async (inner: AbortSignal) => {
    await runtime.prepare(order, { signal: inner, report })
  })
  await together(signal, makes)
  return []
}

function orderOf(target: Target, type: string): CopyOrder {
  const { plan: processPlan, identity } = typeOf(target, type)
  const isReachable = processPlan.internalPorts.length > 0 || processPlan.ports.length > 0
  const names = isReachable ? [] : processPlan.aliases
  return { plan: target.plan, process: processPlan, identity, names }
}

async function proveCopies(
  { runtime, guards, awaySince }: Rollout,
  target: Target,
  { type, copies }: { type: string; copies: ObservedCopy[] },
  control: Control,
): Promise<ObservedCopy[]> {
  const { plan, mustComplete } = typeOf(target, type)
  if (target.isUndo) {
    return await onEach(copies, control, async (copy, inner) => {
      const wait = async () => await servesAgain(runtime, { copy, plan, mustComplete }, inner)
      return await asItIs(copy, wait, inner)
    })
  }
  return await onEach(copies, control, async (copy, inner) => {
    const candidate = { copy, plan, mustComplete, isAwaited: awaySince.has(type) }
    const { verdict, probe } = await passGate(runtime, candidate, inner)
    if (verdict.is === 'healthy') {
      if (plan.watchMs > 0) guards.set(copy.process, guardCopy(runtime, copy, plan.watchMs, control))
      return copy
    }
    if (verdict.is === 'completed') return { ...copy, state: 'ended', exitCode: 0, endedByItself: true }
    const { reason, exitCode } = verdict
    throw await failureOf(runtime, copy, { reason, exitCode, probe }, inner)
  })
}

/** A copy that ends while it is watched is no copy to send everybody to; a good end that its type is for is none. */
async function watchCopies(
  { runtime, guards }: Rollout,
  target: Target,
  { copies }: { copies: ObservedCopy[] },
  control: Control,
): Promise<ObservedCopy[]> {
  return await onEach(copies, control, async (copy, inner) => {
    const end = (await guards.get(copy.process)?.outcome) ?? null
    const { restart } = typeOf(target, copy.type).plan
    if (end === null || (end.code === 0 && restart !== 'always')) return copy
    const reason = end.isOutOfMemory ? 'out-of-memory' : 'exited-soon'
    throw await failureOf(runtime, copy, { reason, exitCode: end.code, probe: null }, inner)
  })
}

/** Who goes back judges nobody, and lets requests in when what served before serves again, or does not in time. */
async function servesAgain(
  runtime: Runtime,
  candidate: GateCandidate,
  { signal, report }: Control,
): Promise<ObservedCopy> {
  const { copy, plan } = candidate
  const { probe, check } = gateRules(plan, runtime.settleMs)
  if (probe === null && check === null) return copy
  const wait = async (inner: AbortSignal) => await passGate(runtime, candidate, { signal: inner, report })
  try {
    await withDeadline({ deadlineMs: backDeadlineMs, what: `${copy.process} to serve again`, signal }, wait)
  } catch (error) {
    if (!(error instanceof DeadlineError) || signal.aborted) throw error
  }
  return copy
}

/** What drains ends in time or is ended: what holds on to a volume beyond that is told, and not waited for. */
async function vacateVolumes(
  { runtime }: Rollout,
  target: Target,
  { type, copies }: { type: string; copies: ObservedCopy[] },
  { signal, report }: Control,
): Promise<ObservedCopy[]> {
  const { stopGraceMs } = typeOf(target, type).plan
  const deadlineMs = Math.max(...copies.map(({ drainMs }) => drainMs)) + stopGraceMs + vacateMarginMs
  const names = copies.map((copy) => copy.process).join(', ')
  try {
    const work = async (inner: AbortSignal) => await runtime.vacate(copies, { signal: inner, report })
    await withDeadline({ deadlineMs, what: `${names} to leave`, signal }, work)
    return []
  } catch (error) {
    if (!(error instanceof DeadlineError) || signal.aborted) throw error
    throw new RackError('timeout', `${names} still holds a volume of ${type} and does not leave`, {
      hint: 'See what is wrong with the machine (rack doctor), then try again.',
      cause: error,
    })
  }
}

/** Names a copy that is up, and marks what has become of it. */
async function nameAndMark(
  runtime: Runtime,
  plan: TypeTarget['plan'],
  copy: ObservedCopy,
  control: Control,
): Promise<ObservedCopy> {
  if (isUp(copy) && !isNamed(plan, copy)) await runtime.name(copy, plan.aliases, control)
  return await runtime.settle(copy, plan, control)
}

/** Names and marks a copy, which must still be up. */
async function settleCopy(
  runtime: Runtime,
  plan: TypeTarget['plan'],
  copy: ObservedCopy,
  control: Control,
): Promise<ObservedCopy> {
  const settled = await nameAndMark(runtime, plan, copy, control)
  if (isUp(settled) || settled.mark === 'completed') return settled
  const { code, isOutOfMemory } = await runtime.ended(copy, control)
  const reason = isOutOfMemory ? 'out-of-memory' : 'exited-soon'
  throw await failureOf(runtime, copy, { reason, exitCode: code, probe: null }, control)
}

/** A copy that served before: one that ends as soon as it is back is started once more, and then is its policy's. */
async function restoreCopy(
  runtime: Runtime,
  plan: TypeTarget['plan'],
  copy: ObservedCopy,
  control: Control,
): Promise<ObservedCopy> {
  const settled = await nameAndMark(runtime, plan, copy, control)
  if (isUp(settled) || settled.mark === 'completed') return settled
  const again = await runtime.settle(await runtime.revive(settled, plan, control), plan, control)
  return again.mark === 'completed' ? again : { ...again, mark: 'proved' }
}

/** Whoever goes back leaves no copy in the way of the others: one that cannot be had back is told of, and passed over. */
async function asItIs(
  copy: ObservedCopy,
  work: () => Promise<ObservedCopy>,
  { signal, report }: Control,
): Promise<ObservedCopy> {
  try {
    return await work()
  } catch (error) {
    signal.throwIfAborted()
    const why = error instanceof Error ? error.message : String(error)
    report({
      type: 'log',
      text: `${copy.process} of ${copy.type} is not back: ${why}`,
      time: new Date().toISOString(),
    })
    return { ...copy, mark: 'proved', state: 'ended' }
  }
}

/** Runs to its end once, whatever ends the daemon meanwhile: one that was begun is found again, or is a failure. */
async function runCommand(
  { runtime, change }: Rollout,
  target: Target,
  { plan, identity }: TypeTarget,
  control: Control,
): Promise<ObservedCopy[]> {
  const { begun, note } = change.releaseCommands
  const mayStart = !begun.includes(plan.type)
  if (mayStart) await note(plan.type, 'begun')
  const order: CopyOrder = { plan: target.plan, process: plan, identity, names: [] }
  const copy = await runtime.command(order, mayStart, control)
  // One that was stopped, as by Docker's own end, may well say 0.
  const isUnsure = copy?.state === 'ended' && copy.exitCode === 0 && !copy.endedByItself
  if (copy === null || isUnsure) throw deployFailed([lostCommand(plan.type)])
  const { code, isOutOfMemory } = await runtime.ended(copy, control)
  if (code !== 0) {
    const reason = isOutOfMemory ? 'out-of-memory' : 'command-failed'
    throw await failureOf(runtime, copy, { reason, exitCode: code, probe: null }, control)
  }
  await note(plan.type, 'done')
  await runtime.remove([copy], control)
  return []
}

function lostCommand(type: string): CopyFailure {
  return { process: '', type, reason: 'command-lost', exitCode: null, lastLines: [], probe: null }
}

async function failureOf(
  runtime: Runtime,
  copy: ObservedCopy,
  about: Pick<CopyFailure, 'reason' | 'exitCode' | 'probe'>,
  control: Control,
): Promise<RackError> {
  const { process: processId, type } = copy
  return deployFailed([
    { process: processId, type, ...about, lastLines: await runtime.lastLines(copy, control) },
  ])
}

async function onEach<T>(
  copies: ObservedCopy[],
  { signal, report }: Control,
  apply: (copy: ObservedCopy, control: Control) => Promise<T>,
): Promise<T[]> {
  return await together(
    signal,
    copies.map((copy) => (inner: AbortSignal) => apply(copy, { signal: inner, report })),
  )
}
