import type { Observed, ObservedCopy } from './runtime.ts'

/** A rollout while it goes on, as a value: what is there, and what was found out meanwhile. */
export interface RolloutState {
  copies: ObservedCopy[]
  /** Process ids of what was there when it began. */
  found: ReadonlySet<string>
  /** Process ids of what this rollout has started, or started again. */
  begun: ReadonlySet<string>
  /** Process ids that were through the gate, and are not marked yet. */
  passed: ReadonlySet<string>
  /** Process ids of new copies that were watched for long enough. */
  watched: ReadonlySet<string>
  /** What the router sent requests to when it began. */
  before: ReadonlySet<string>
  /** What this rollout has told the router; null before the first time. */
  routed: ReadonlySet<string> | null
  /** Types whose release command has ended well. */
  commandsRun: ReadonlySet<string>
  /** Types of which copies are made, and not started, before others make place for them. */
  prepared: ReadonlySet<string>
}

/** One thing to do; of those that `next` gives, all may go on at once. */
export type Step =
  | { do: 'remove'; copies: ObservedCopy[] }
  | { do: 'command'; type: string }
  | { do: 'vacate'; type: string; copies: ObservedCopy[] }
  | { do: 'prepare'; type: string; count: number }
  /** `isLast` when no copy of the type serves any more. */
  | { do: 'park'; type: string; copies: ObservedCopy[]; isLast: boolean }
  | { do: 'start'; type: string; count: number }
  | { do: 'revive'; type: string; copies: ObservedCopy[] }
  | { do: 'prove'; type: string; copies: ObservedCopy[] }
  | { do: 'name'; type: string; copies: ObservedCopy[] }
  | { do: 'settle'; copies: ObservedCopy[] }
  | { do: 'route'; processes: string[] }
  | { do: 'watch'; copies: ObservedCopy[] }
  | { do: 'retire'; copies: ObservedCopy[] }

/** The state before anything was done. */
export function beginState({ copies, routed }: Observed): RolloutState {
  const found = new Set(copies.map((copy) => copy.process))
  const none = () => new Set<string>()
  const nothing = {
    begun: none(),
    passed: none(),
    watched: none(),
    commandsRun: none(),
    prepared: none(),
  }
  return { ...nothing, copies, found, before: new Set(routed), routed: null }
}

/** Tells steps apart that go on at the same time. */
export function stepKey(step: Step): string {
  return 'type' in step ? `${step.do} ${step.type}` : step.do
}

/**
 * What is known once a step has been done.
 * @param made the copies that it has made, or changed, as they are now
 */
export function after(state: RolloutState, step: Step, made: ObservedCopy[]): RolloutState {
  switch (step.do) {
    case 'remove':
    case 'vacate':
      return without(state, step.copies)
    case 'command':
      return { ...state, commandsRun: new Set([...state.commandsRun, step.type]) }
    case 'prepare':
      return { ...state, prepared: new Set([...state.prepared, step.type]) }
    case 'start':
      return { ...state, copies: [...state.copies, ...made], begun: withAll(state.begun, made) }
    case 'revive':
      return { ...replaced(state, made), begun: withAll(state.begun, made) }
    case 'prove':
      return { ...replaced(state, made), passed: withAll(state.passed, made) }
    case 'settle': {
      const settled = new Set(made.map((copy) => copy.process))
      return { ...replaced(state, made), passed: state.passed.difference(settled) }
    }
    case 'watch':
      return { ...replaced(state, made), watched: withAll(state.watched, made) }
    case 'park':
    case 'name':
    case 'retire':
      return replaced(state, made)
    case 'route':
      return { ...state, routed: new Set(step.processes) }
  }
}

function withAll(processes: ReadonlySet<string>, made: ObservedCopy[]): Set<string> {
  return processes.union(new Set(made.map((copy) => copy.process)))
}

function without(state: RolloutState, gone: ObservedCopy[]): RolloutState {
  const names = new Set(gone.map((copy) => copy.process))
  return { ...state, copies: state.copies.filter(({ process: processId }) => !names.has(processId)) }
}

function replaced(state: RolloutState, made: ObservedCopy[]): RolloutState {
  const now = new Map(made.map((copy) => [copy.process, copy]))
  return { ...state, copies: state.copies.map((copy) => now.get(copy.process) ?? copy) }
}
