import { admitPlan } from '../../domain/admission.ts'
import { describeLack, desiredTypes, lacksOf, type TypeLack } from '../../domain/app-health.ts'
import { rackItself } from '../../domain/caller.ts'
import type { Control } from '../../domain/control.ts'
import type { CopyFailure } from '../../domain/deployment.ts'
import { noReleaseCommands } from '../../domain/engine.ts'
import { codeOf, knownError } from '../../domain/error.ts'
import type { Operation } from '../../domain/operation.ts'
import { appOwner, ofApp } from '../../domain/owner.ts'
import type { Plan } from '../../domain/plan.ts'
import type { AdmittedRoom } from '../admission-control.ts'
import type { Context } from '../context.ts'
import { countBehind } from '../complete-receipt.ts'
import { closeFailed } from '../journal/carry-out.ts'
import { startYielding, type Begun } from '../journal/start-operation.ts'
import { livePlanOf } from '../read-release.ts'
import { restoreImages } from './restore-images.ts'

/** An app, and the types of it that lack copies. */
export interface Patient {
  app: string
  types: string[]
}

interface Healing {
  plan: Plan
  lacks: TypeLack[]
  /** Process ids of unhealthy copies that are replaced. */
  leaving: string[]
  room: AdmittedRoom
}

/**
 * Brings back what types of an app lack, in the app's turn and under a row of the journal. Whoever wants a change ends
 * it. What cannot be had back is noted, and keeps none of the others: those are tried again without it.
 */
export async function healApp(context: Context, patient: Patient, control: Control): Promise<void> {
  try {
    await startYielding(context, patient.app, control, async () => await begin(context, patient, control))
  } catch (error) {
    if (control.signal.aborted || context.running.isInterrupted()) return
    if (givesWay.has(codeOf(error))) return
    noteTrouble(context, patient, error)
  }
}

/** Somebody has asked for a change, or for the end of this. */
const givesWay: ReadonlySet<string> = new Set(['busy', 'cancelled'])

/** Looks again in the app's turn: what was missing a moment ago may be back. */
async function begin(
  context: Context,
  { app, types }: Patient,
  control: Control,
): Promise<Begun<void> | null> {
  const plan = await livePlanOf(context, app)
  if (!plan) return null
  const seen = (await context.engine.processes({ owner: appOwner(app), all: true }, control)).map(ofApp)
  const overdue = context.health.overdue(app, context.now().getTime())
  const leaving = seen.filter(({ id, status }) => status === 'unhealthy' && overdue.includes(id))
  const found = lacksOf(desiredTypes(plan), seen, context.health.ended(app))
  const isToHeal = ({ type, missing }: TypeLack) => missing > 0 || leaving.some((copy) => copy.type === type)
  const lacks = found.filter((lack) => types.includes(lack.type) && isToHeal(lack))
  if (lacks.length === 0) return null
  const counts = new Map(lacks.map(({ type }) => [type, leaving.filter((copy) => copy.type === type).length]))
  const room = await context.admission.admit(
    app,
    `bringing back what ${app} lacks`,
    (capacity) => admitPlan(plan, capacity, new Set(), counts),
    control,
  )
  const ids = leaving.filter(({ type }) => counts.has(type)).map(({ id }) => id)
  return await underJournal(context, app, { plan, lacks, leaving: ids, room }, control)
}

async function underJournal(
  context: Context,
  app: string,
  healing: Healing,
  control: Control,
): Promise<Begun<void>> {
  using stack = new DisposableStack()
  stack.use(healing.room)
  const { plan, lacks, leaving, room } = healing
  const intent = { release: plan.release, lacks, leaving, reserved: room.peak, surges: room.admission.surges }
  const operation = await context.store.operations.begin(app, 'heal', rackItself.name, intent)
  const held = stack.move()
  return {
    operation,
    async work(signal) {
      using _held = held
      await carryOutHealing(context, operation, healing, { ...control, signal })
    },
  }
}

async function carryOutHealing(
  context: Context,
  operation: Operation,
  { plan, lacks, leaving }: Healing,
  control: Control,
): Promise<void> {
  const { store, engine, health } = context
  const { app, intent } = operation
  const only = lacks.map(({ type }) => type)
  context.log('warn', `${app} lacks copies, which are brought back`, { lacks: lacks.map(describeLack) })
  const toLive = { plan, live: plan, leaving, releaseCommands: noReleaseCommands, surges: intent.surges }
  try {
    await restoreImages(context, plan, only, control)
    const receipt = await engine.deploy({ ...toLive, only }, control)
    health.noteHealed(app, only, context.now().getTime())
    await store.operations.complete(operation.id, { receipt })
    void countBehind(context, operation, receipt)
  } catch (error) {
    if (!context.running.isInterrupted()) await closeFailed(context, operation, error)
    throw error
  }
  context.log('info', `${app} is healed`, { types: only })
}

/** The types that are at fault wait longer; where none is named it may be any of them. */
function noteTrouble(context: Context, { app, types }: Patient, error: unknown): void {
  const { message, hint = null, code, details } = knownError(error)
  const failures = code === 'deploy-failed' ? (details as CopyFailure[]).map(({ type }) => type) : []
  const failing = failures.length > 0 ? failures : types
  context.log('warn', `${failing.join(', ')} of ${app} cannot be brought back`, { code, reason: message })
  context.health.noteTrouble(app, failing, context.now().getTime(), { message, hint })
}
