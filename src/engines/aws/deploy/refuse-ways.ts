import type { Control } from '../../../domain/control.ts'
import type { ProcessPlan } from '../../../domain/plan.ts'
import { refuseTaken } from '../obstacles.ts'
import type { FoundListener } from '../routes/listeners.ts'
import type { FoundRule } from '../routes/rules.ts'
import type { OwnRollout } from './own.ts'

/** An owner's ways in, and what stands behind them. */
export type OwnWays = Pick<OwnRollout, 'parts' | 'owner' | 'balancer' | 'generations'>

/** Of what serves, with what the owner has for certain. @throws port-taken */
export async function refuseWays(
  own: OwnWays,
  processes: ProcessPlan[],
  { listeners, rules }: { listeners: FoundListener[]; rules: FoundRule[] },
  control: Control,
): Promise<void> {
  const known = new Set([...own.generations.values()].flatMap((each) => each.groups))
  const plan = { owner: own.owner, processes }
  await refuseTaken(own.parts, plan, { listeners, rules, own: known }, control)
}
