import type { Plan, ProcessPlan } from './plan.ts'
import { addResources, amountsOf, heldBy, noResources, sumOf, type Capacity, type Resources } from './rack.ts'
import { nextTime, type LiveTimer, type Timer } from './timer.ts'

/** A timer of a plan, and when it runs next. */
export interface PlannedTimer extends Pick<Timer, 'name' | 'schedule' | 'timezone'> {
  process: string
  /** RFC 3339; null for never. */
  next: string | null
}

export function plannedTimers({ processes }: Plan, now: Date): PlannedTimer[] {
  return processes.flatMap(({ type, timers }) =>
    timers.map((timer) => {
      const { name, schedule, timezone } = timer
      return { process: type, name, schedule, timezone, next: nextTime(timer, now) }
    }),
  )
}

/** The timers of a plan that has become live; nothing of the time before is theirs. */
export function liveTimers({ owner, processes }: Plan, now: Date): LiveTimer[] {
  const since = now.toISOString()
  return processes.flatMap(({ type, timers }) =>
    timers.map(({ name, schedule, timezone, overlap }) => {
      return { app: owner.name, process: type, name, schedule, timezone, overlap, since }
    }),
  )
}

/** Types with timers of which one more process would find no room beside all that the plan runs. */
export function typesWithoutRoom(plan: Plan, capacity: Capacity): Set<string> {
  const held = sumOf(heldBy(capacity, plan.owner, 'process'))
  const wanted = plan.processes.reduce(
    (sum, processPlan) => addResources(sum, processPlan, copiesOf(processPlan, capacity)),
    noResources,
  )
  const left = addResources(addResources(capacity.free, held), wanted, -1)
  const timed = plan.processes.filter(({ timers, ...each }) => timers.length > 0 && !isWithin(each, left))
  return new Set(timed.map(({ type }) => type))
}

function copiesOf({ isAgent, count }: ProcessPlan, { instances }: Capacity): number {
  return isAgent ? count * instances.length : count
}

function isWithin(each: Resources, room: Resources): boolean {
  return amountsOf(addResources(room, each, -1)).every((amount) => amount >= 0)
}
