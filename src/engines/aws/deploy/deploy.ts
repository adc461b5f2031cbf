import type { Control } from '../../../domain/control.ts'
import type { Counts, Receipt } from '../../../domain/deployment.ts'
import type { Change } from '../../../domain/engine.ts'
import { makeId } from '../../../domain/id.ts'
import type { Plan } from '../../../domain/plan.ts'
import { unknownCounts } from '../../../rollout/receipt.ts'
import { rollOut } from '../../../rollout/roll.ts'
import { changeRecords, findRecords, recordChanges } from '../inside/records.ts'
import { namesOfLinks } from '../inside/wanted-names.ts'
import { obstaclesOf } from '../obstacles.ts'
import type { AwsParts } from '../parts.ts'
import { ensureAccessPoints } from './access-points.ts'
import { ensureApp } from './app-places.ts'
import { createAwsRuntime } from './aws-runtime.ts'
import { awaitStopped } from './leave-copies.ts'
import type { OwnRollout } from './own.ts'

/** Brings an app or a service to a plan by the rollout. */
export async function deployPlan(parts: AwsParts, change: Change, control: Control): Promise<Receipt> {
  const { plan } = change
  const [obstacle] = await obstaclesOf(parts, plan, control)
  if (obstacle) throw obstacle
  const own = await prepare(parts, plan, control)
  const receipt = await rollOut(createAwsRuntime(own, change), change, control)
  const tasks = receipt.draining.flatMap((id) => own.copies.get(id)?.task ?? [])
  if (tasks.length === 0) return receipt
  const measured = measureBehind(parts, tasks)
  // Nobody may ask.
  measured.catch(() => undefined)
  parts.measurements.set(own.operation, measured)
  return { ...receipt, measurement: own.operation }
}

/** What the balancers count comes minutes later, and is not read yet (aws.md 4.2): unknown it stays. */
async function measureBehind(parts: AwsParts, tasks: string[]): Promise<Counts> {
  await awaitStopped(parts, tasks, { signal: parts.lifetime })
  return unknownCounts
}

async function prepare(parts: AwsParts, plan: Plan, control: Control): Promise<OwnRollout> {
  const { owner } = plan
  const accessPoints = await ensureAccessPoints(parts, plan, control)
  const app = await ensureApp(parts, { owner, accessPoints: [...accessPoints.values()] }, control)
  await nameLinks(parts, plan, control)
  return {
    parts,
    owner,
    operation: makeId('O', parts.randomBytes),
    app,
    accessPoints,
    generations: new Map(),
    copies: new Map(),
    records: new Map(),
    naming: null,
    before: new Set(),
    prepared: new Map(),
  }
}

/** What its copies are led to has its names before the first of them starts. */
async function nameLinks(parts: AwsParts, plan: Plan, control: Control): Promise<void> {
  const wanted = namesOfLinks(parts.rack, plan)
  if (wanted.size === 0) return
  const records = await findRecords(parts, plan.owner, control)
  const changes = recordChanges(records, wanted)
  if (changes.length > 0) await changeRecords(parts, changes, control)
}
