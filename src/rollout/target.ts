import type { Surge } from '../domain/admission.ts'
import { copyRules } from '../domain/copy-identity.ts'
import type { Plan, ProcessPlan } from '../domain/plan.ts'

/** What shall be there of an app. */
export interface Target {
  plan: Plan
  types: TypeTarget[]
  /** Copies that go although the plan would keep them. */
  leaving: ReadonlySet<string>
  /** Types whose release command is still to be run. */
  commands: ReadonlySet<string>
  /** True watches every new copy; else those alone that take the place of others. */
  isNewRelease: boolean
  /** True goes back to what was there: nothing new is started, and nobody is judged. */
  isUndo: boolean
  /** When going back: what was there before. It stays where nothing fits better. */
  before: ReadonlySet<string>
  /** When going back: a release command that runs is left to the next daemon, which waits for it. */
  keepsCommands: boolean
}

export interface TypeTarget {
  plan: ProcessPlan
  identity: string
  /** How many copies may run beside those that there were; null is what the percentages allow. */
  surge: Surge | null
  /** Older copies go all the same. */
  newerThanMs: number
  /** What must be ready before a copy of it starts; a circle is broken where it closes. */
  waits: ProcessPlan['after']
  /** Another type waits until this one has ended well. */
  mustComplete: boolean
  /** It stays as it is found, whatever the plan says. */
  isLeft: boolean
}

export interface TargetOptions {
  leaving?: Iterable<string>
  commands?: Iterable<string>
  isNewRelease?: boolean
  isUndo?: boolean
  before?: Iterable<string>
  keepsCommands?: boolean
  /** By type. */
  surges?: Record<string, Surge> | undefined
  /** Types that are brought about, where the others are left as they are. */
  only?: readonly string[] | undefined
}

/** Reads what a rollout needs out of a plan. */
export function targetOf(
  plan: Plan,
  identify: (text: string, plan: ProcessPlan) => string,
  options: TargetOptions = {},
): Target {
  const rules = copyRules(plan)
  const depths = depthsOf(plan.processes)
  const types = plan.processes.map((processPlan): TypeTarget => {
    const { identity, replaceBefore } = rules.get(processPlan.type)!
    return {
      plan: processPlan,
      identity: identify(identity, processPlan),
      surge: options.surges?.[processPlan.type] ?? null,
      newerThanMs: replaceBefore === null ? -Infinity : Date.parse(replaceBefore),
      waits: waitsOf(processPlan).filter(({ type }) => depths.get(type)! < depths.get(processPlan.type)!),
      mustComplete: plan.processes.some(({ after }) =>
        after.some(({ type, condition }) => type === processPlan.type && condition === 'completed'),
      ),
      isLeft: options.only?.includes(processPlan.type) === false,
    }
  })
  const { leaving = [], commands = [], before = [] } = options
  const { isNewRelease = false, isUndo = false, keepsCommands = false } = options
  const sets = { leaving: new Set(leaving), commands: new Set(commands), before: new Set(before) }
  return { plan, types, ...sets, isNewRelease, isUndo, keepsCommands }
}

/** What restarts with another meets its successor, which must serve by then. */
function waitsOf({ after, restartsWith }: ProcessPlan): ProcessPlan['after'] {
  return after.map(({ type, condition }) => {
    const isTied = condition === 'started' && restartsWith.includes(type)
    return { type, condition: isTied ? 'healthy' : condition }
  })
}

/** How many types must be ready, one after another, before each. */
function depthsOf(processes: Pick<ProcessPlan, 'type' | 'after'>[]): Map<string, number> {
  const byName = new Map(processes.map((processPlan) => [processPlan.type, processPlan]))
  const depths = new Map<string, number>()
  const depthOf = (name: string, above: ReadonlySet<string>): number => {
    const processPlan = byName.get(name)
    if (!processPlan || above.has(name)) return -1
    const known = depths.get(name)
    if (known !== undefined) return known
    const within = new Set([...above, name])
    const depth = 1 + Math.max(-1, ...processPlan.after.map(({ type }) => depthOf(type, within)))
    depths.set(name, depth)
    return depth
  }
  for (const { type } of processes) depthOf(type, new Set())
  return depths
}
