import type { Control } from '../../src/domain/control.ts'
import { completeReceipt, type Receipt } from '../../src/domain/deployment.ts'
import type { Change, Engine } from '../../src/domain/engine.ts'
import { ownerKey } from '../../src/domain/owner.ts'
import type { Plan } from '../../src/domain/plan.ts'

type Deploys = Pick<Engine, 'deploy' | 'measure'>

/** What was made live through here, by engine and owner. */
const live = new WeakMap<Deploys, Map<string, Plan>>()

/**
 * Makes a plan live as a promote does: what was made live before is what a failure goes back to, and release commands
 * run where the release is another. Settles when nothing drains any more, with a complete receipt.
 */
export async function deployPlan(
  engine: Deploys,
  plan: Plan,
  control: Control,
  overrides: Partial<Change> = {},
): Promise<Receipt> {
  const plans = live.get(engine) ?? new Map<string, Plan>()
  live.set(engine, plans)
  const before = plans.get(ownerKey(plan.owner)) ?? null
  const commands = plan.processes.filter(({ releaseCommand }) => releaseCommand !== null)
  const due = before?.release === plan.release ? [] : commands.map(({ type }) => type)
  const releaseCommands = { due, begun: [], note: async () => undefined }
  const receipt = await engine.deploy(
    { plan, live: before, leaving: [], releaseCommands, ...overrides },
    control,
  )
  plans.set(ownerKey(plan.owner), plan)
  if (receipt.measurement === null) return receipt
  return completeReceipt(receipt, await engine.measure(receipt.measurement, control))
}
