import type { TypeMount } from './container.ts'
import type { Plan, ProcessPlan } from './plan.ts'
import { startPatienceMs } from './start-patience.ts'
import { writtenVolumes } from './written-volumes.ts'

/**
 * Whether the copies of a type leave before others take their place. Where several run and several are to run, they
 * share the volume already: those of two releases may, too.
 * @param running copies of the type that there are
 */
export function stopsFirst(
  { stopFirst, count }: Pick<ProcessPlan, 'stopFirst' | 'count'>,
  running: number,
): boolean {
  return stopFirst && !(count > 1 && running > 1)
}

/**
 * Those of the types of which no copy serves for a while, when what is live makes place for the plan.
 * @param replaced names of the types of which copies leave
 */
export function typesWithGap(plan: Plan, live: Plan | null, replaced: ReadonlySet<string>): ProcessPlan[] {
  const running = new Map(live?.processes.map(({ type, count }) => [type, count]))
  return plan.processes.filter((processPlan) => {
    const held = running.get(processPlan.type) ?? 0
    return (
      replaced.has(processPlan.type) && Math.min(held, processPlan.count) > 0 && stopsFirst(processPlan, held)
    )
  })
}

/** What decides how long requests wait for a copy, and how long the copy itself is waited for. */
interface Waiting extends Pick<ProcessPlan, 'holdMs' | 'health'> {
  healthcheck: unknown
}

/** What is said before a type of which no copy serves for a while is replaced. */
export function gapText(
  type: Pick<ProcessPlan, 'type' | 'ports'> & Waiting & { mounts: TypeMount[] },
): string {
  const volumes = writtenVolumes(type.mounts)
  const what = `the volume${volumes.length === 1 ? '' : 's'} ${volumes.join(', ')}`
  const isOpen = type.ports.some(({ external }) => external !== null)
  const meanwhile = isOpen ? `; requests ${waitText(type)}` : ''
  return `${type.type} stops before its successor starts: only one may write ${what}${meanwhile}`
}

function waitText({ holdMs, health, healthcheck }: Waiting): string {
  if (holdMs === 0) return 'fail meanwhile'
  const waits = `wait ${holdMs / 1000} s at most meanwhile`
  // A grace, and how long a check may fail, whoever wrote them knows.
  if (health.graceMs > 0 || healthcheck !== null) return waits
  const patience = startPatienceMs({ holdMs, health }, true) / 1000
  return `${waits}, and what ran before is back when it does not listen for ${patience} s (rack.health.grace)`
}
