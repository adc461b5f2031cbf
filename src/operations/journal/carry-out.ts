import { codeOf, RackError } from '../../domain/error.ts'
import type { Control } from '../../domain/control.ts'
import type { Receipt } from '../../domain/deployment.ts'
import type { Formation } from '../../domain/manifest.ts'
import type { Operation } from '../../domain/operation.ts'
import type { Plan } from '../../domain/plan.ts'
import type { Context } from '../context.ts'
import { endpointsOf } from '../endpoints.ts'
import type { PromoteResult } from '../operations.ts'

/**
 * Deploys under a journal row and closes it, whatever the end. What was deployed and could not be recorded leaves its
 * row open: whoever takes that up finds nothing more to do and records it.
 */
export async function carryOut(
  context: Context,
  operation: Operation,
  plan: Plan,
  control: Control,
): Promise<PromoteResult> {
  const { app, release } = plan
  const receipt = await deploy(context, operation, plan, control)
  const formation = formationOf(plan)
  await context.store.operations.complete(operation.id, { liveRelease: release, formation, receipt })
  return { app, release, receipt, endpoints: endpointsOf(plan, context.rack) }
}

async function deploy(
  context: Context,
  operation: Operation,
  plan: Plan,
  control: Control,
): Promise<Receipt> {
  try {
    return await context.engine.deploy(plan, control)
  } catch (error) {
    // A daemon that stops leaves the row open; the next start takes it up.
    if (!context.running.isInterrupted()) await closeFailed(context, operation, error)
    throw error
  }
}

/**
 * Closes a row whose work was undone. Never throws, so that the caller's own error is told; a row that cannot be closed
 * now is closed by whoever takes it up.
 */
export async function closeFailed(context: Context, operation: Operation, error: unknown): Promise<void> {
  const known = error instanceof RackError ? error : new RackError('internal', 'an unexpected failure')
  const { code, message, hint, details } = known
  const status = code === 'cancelled' ? 'cancelled' : 'failed'
  const told = {
    code,
    message,
    ...(hint !== undefined && { hint }),
    ...(details !== undefined && { details }),
  }
  try {
    await context.store.operations.fail(operation.id, status, told, statusAfter(operation))
  } catch (failure) {
    const facts = { code: codeOf(failure) }
    context.log('warn', `${operation.kind} ${operation.id} of ${operation.app} stays open`, facts)
  }
}

/** What was live before is live still; only a deletion may have taken part of it away. A build changes nothing. */
function statusAfter({ kind, intent }: Operation): 'running' | 'failed' | undefined {
  if (kind === 'build' || kind === 'run') return undefined
  return intent.previousRelease && kind !== 'delete' ? 'running' : 'failed'
}

function formationOf(plan: Plan): Record<string, Formation> {
  return Object.fromEntries(
    plan.processes.map(({ type, count, cpuUnits, memoryBytes }) => [type, { count, cpuUnits, memoryBytes }]),
  )
}
