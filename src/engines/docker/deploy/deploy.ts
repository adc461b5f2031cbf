import type { Control } from '../../../domain/control.ts'
import type { Counts, Receipt } from '../../../domain/deployment.ts'
import type { Change } from '../../../domain/engine.ts'
import { RackError } from '../../../domain/error.ts'
import { makeId } from '../../../domain/id.ts'
import { ownerKey } from '../../../domain/owner.ts'
import type { Plan } from '../../../domain/plan.ts'
import { unknownCounts } from '../../../rollout/receipt.ts'
import { rollOut } from '../../../rollout/roll.ts'
import type { RunningMeasurement } from '../../../router/router.ts'
import { freeAddresses } from '../containers/free-addresses.ts'
import { ensureNetwork } from '../containers/network.ts'
import { ensureVolumes } from '../containers/volumes.ts'
import type { EngineParts } from '../parts.ts'
import { createDockerRuntime } from './docker-runtime.ts'

const dockerNamesNotice =
  "this machine takes no rules for names: inside the app, whoever keeps a process's address must look it up again after a deploy"

const togetherNotice =
  'this machine takes no rules between processes: those on separate networks reach each other, and the outside'

/** Brings an app or a service to a plan by the rollout, and counts what passes the router meanwhile. */
export async function deployPlan(parts: EngineParts, change: Change, control: Control): Promise<Receipt> {
  const { owner } = change.plan
  const operation = makeId('O', parts.randomBytes)
  // Before the measurement, which nobody would end if this failed.
  await prepare(parts, change.plan, control)
  // What went behind the rack's back has left its address taken.
  if (change.only) await freeAddresses(parts, [owner], control)
  const measurement = await parts.router.measure(ownerKey(owner), control)
  const receipt = await rolledOut(parts, measurement, { operation, change }, control)
  const { draining } = receipt
  // Nobody's end any more: the plan is live.
  if (draining.length === 0) return { ...receipt, ...(await countsAtOnce(parts, measurement)) }
  parts.measurements.add(operation, measureBehind(parts, draining, measurement))
  return { ...receipt, measurement: operation }
}

async function rolledOut(
  parts: EngineParts,
  measurement: RunningMeasurement,
  { operation, change }: { operation: string; change: Change },
  control: Control,
): Promise<Receipt> {
  try {
    return await rollOut(createDockerRuntime(parts, change.plan.owner, operation), change, control)
  } catch (error) {
    // What nobody asks for any more is not counted on.
    await countsAtOnce(parts, measurement)
    throw error
  }
}

async function prepare(parts: EngineParts, plan: Plan, control: Control): Promise<void> {
  await ensureNetwork(parts, plan.owner, control)
  await parts.names.begin(control)
  if (!parts.names.isUsed()) {
    const text = `${dockerNamesNotice}; why: rack doctor`
    control.report({ type: 'log', text, time: new Date().toISOString() })
  }
  const isSeparated = plan.processes.some(({ isolation }) => isolation)
  if (isSeparated && !(await parts.names.keepsApart(control))) {
    const text = `${togetherNotice}; why: rack doctor`
    control.report({ type: 'log', text, time: new Date().toISOString() })
  }
  await ensureVolumes(parts, plan, control)
}

/** A full disk may keep what is left of a copy for hours: nobody waits so long for counts. */
async function measureBehind(
  { reaper, lifetime }: EngineParts,
  draining: string[],
  measurement: RunningMeasurement,
): Promise<Counts> {
  const control: Control = { signal: lifetime, report: () => undefined }
  await reaper.tried(draining, control)
  return await countsOf(measurement, control)
}

async function countsOf(measurement: RunningMeasurement, control: Control): Promise<Counts> {
  const { requests, failed, held, longestStallMs } = await measurement.end(control)
  return { requests, failed, held, longestStallMs }
}

/** Ends the measurement, whatever comes of it: it never decides how a deploy ends. */
async function countsAtOnce({ onTrouble }: EngineParts, measurement: RunningMeasurement): Promise<Counts> {
  try {
    return await countsOf(measurement, { signal: AbortSignal.timeout(10_000), report: () => undefined })
  } catch (error) {
    // A router that is away has nothing to count.
    if (!(error instanceof RackError)) onTrouble(error)
    return unknownCounts
  }
}
