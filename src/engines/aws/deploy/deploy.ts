import type { Control } from '../../../domain/control.ts'
import type { Receipt } from '../../../domain/deployment.ts'
import type { Change } from '../../../domain/engine.ts'
import { makeId } from '../../../domain/id.ts'
import type { Plan } from '../../../domain/plan.ts'
import { rollOut } from '../../../rollout/roll.ts'
import { changeRecords, findRecords, recordChanges } from '../inside/records.ts'
import { namesOfLinks } from '../inside/wanted-names.ts'
import type { AwsParts } from '../parts.ts'
import { ensureAccessPoints } from './access-points.ts'
import { ensureApp } from './app-places.ts'
import { createAwsRuntime } from './aws-runtime.ts'
import type { OwnRollout } from './own.ts'

/** Brings an app or a service to a plan by the rollout. */
export async function deployPlan(parts: AwsParts, change: Change, control: Control): Promise<Receipt> {
  const { plan } = change
  const own = await prepare(parts, plan, control)
  return await rollOut(createAwsRuntime(own, change), change, control)
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
