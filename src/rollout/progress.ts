import type { ProcessPlan } from '../domain/plan.ts'
import type { ObservedCopy } from './runtime.ts'
import type { RolloutState } from './state.ts'
import type { Target, TypeTarget } from './target.ts'

/** How far one type is. Every copy of it is in one of the lists, but for those that drain. */
export interface TypeProgress {
  target: TypeTarget
  /** Proved, and as the plan wants them. */
  ready: ObservedCopy[]
  /** Through the gate, and not marked yet. */
  passed: ObservedCopy[]
  /** Running, or ended as soon as it was started, and not through the gate. */
  unproved: ObservedCopy[]
  /** As the plan wants them, but not running. */
  down: ObservedCopy[]
  /** Copies that are lacking, those that are down aside. */
  missing: number
  /** Not as the plan wants them, or too many: they serve until the others do. */
  old: ObservedCopy[]
}

/** Sorts the copies of a type by what is to be done with them. */
export function progressOf(
  target: TypeTarget,
  state: RolloutState,
  { leaving, isUndo, before }: Target,
): TypeProgress {
  const { plan, identity, newerThanMs } = target
  const own = state.copies.filter((copy) => isStaffOf(plan.type, copy))
  if (target.isLeft) return asFound(target, own)
  const fits = (copy: ObservedCopy) =>
    copy.identity === identity && copy.createdMs >= newerThanMs && !leaving.has(copy.process)
  const rank = (copy: ObservedCopy) => ranks.indexOf(classOf(copy, plan, state, isUndo))
  const fitting = own
    .filter(fits)
    .sort((a, b) => rank(a) - rank(b) || b.createdMs - a.createdMs)
    .slice(0, plan.count)
  // What is live on paper may not be what ran: whoever goes back leaves what there was rather than nothing.
  const isLost = isUndo && plan.count > 0 && fitting.length === 0
  const fit = isLost
    ? own.filter(({ process: processId }) => before.has(processId) && !leaving.has(processId))
    : fitting
  const of = (name: CopyClass) => fit.filter((copy) => classOf(copy, plan, state, isUndo) === name)
  return {
    target,
    ready: of('ready'),
    passed: of('passed'),
    unproved: of('unproved'),
    down: of('down'),
    missing: isUndo ? 0 : plan.count - fit.length,
    old: own.filter((copy) => !fit.includes(copy)).sort((a, b) => a.createdMs - b.createdMs),
  }
}

/** Of a type that is left alone: what serves goes on serving, and nothing else of it is looked at. */
function asFound(target: TypeTarget, own: ObservedCopy[]): TypeProgress {
  const ready = own.filter((copy) => isUp(copy) && copy.mark === 'proved')
  return { target, ready, passed: [], unproved: [], down: [], missing: 0, old: [] }
}

/** How many copies of the type there are, parked ones too: a roll that is under way does not change its manner. */
export function staffOf({ ready, passed, unproved, down, old }: TypeProgress): number {
  return ready.length + passed.length + unproved.length + down.length + old.length
}

/** Whether a copy counts for a type: one that leaves for good does not. */
export function isStaffOf(type: string, copy: ObservedCopy): boolean {
  return copy.type === type && copy.kind === 'process' && copy.mark !== 'draining'
}

export const isUp = ({ state }: ObservedCopy): boolean => state === 'running' || state === 'restarting'

/** Whether others inside the app reach the copy by every name of its type. */
export function isNamed({ aliases }: ProcessPlan, { names }: ObservedCopy): boolean {
  return aliases.every((alias) => names.includes(alias))
}

const ranks = ['ready', 'passed', 'unproved', 'down'] as const
type CopyClass = (typeof ranks)[number]

function classOf(copy: ObservedCopy, plan: ProcessPlan, state: RolloutState, isUndo: boolean): CopyClass {
  if (state.passed.has(copy.process)) return 'passed'
  if (copy.mark === 'completed') return 'ready'
  // Whoever goes back takes what is there as it is: only what it has stopped is started again.
  if (isUndo && copy.mark === 'proved') return 'ready'
  if (hasFinished(copy, plan)) return 'passed'
  if (!isUp(copy)) {
    if (!state.begun.has(copy.process)) return 'down'
    // It was started once, and has ended already: that is for the gate to judge, and for who goes back the end of it.
    return isUndo ? 'ready' : 'unproved'
  }
  return copy.mark === 'proved' && isNamed(plan, copy) ? 'ready' : 'unproved'
}

/** The end that a type is for: by itself, and well. One that was stopped is not at its end, whatever its exit code. */
function hasFinished(copy: ObservedCopy, { restart }: ProcessPlan): boolean {
  const isGoodEnd = copy.state === 'ended' && copy.exitCode === 0 && copy.endedByItself
  return isGoodEnd && restart !== 'always' && copy.mark !== 'parked'
}
