import type { Control } from '../domain/control.ts'
import { completeReceipt, type Receipt } from '../domain/deployment.ts'
import { codeOf } from '../domain/error.ts'
import type { Operation } from '../domain/operation.ts'
import { abortable } from '../lib/deadline.ts'
import type { Context } from './context.ts'
import type { PromoteResult } from './operations.ts'
import { revokeBehind } from './services/logins.ts'

/** How long whoever asked waits for the counts; old copies may drain for an hour. */
const countsPatienceMs = 3000

/**
 * Waits a moment until the old copies of a change have drained, and writes what was counted into its receipt. The change
 * itself is over before: another one may begin meanwhile. A caller who leaves, or has waited, ends the wait, not the
 * counting.
 */
export async function withCounts(
  context: Context,
  operation: Operation,
  result: PromoteResult,
  { signal }: Control,
): Promise<PromoteResult> {
  if (result.receipt.measurement === null) {
    void revokeBehind(context, unbound())
    return result
  }
  const patience = AbortSignal.timeout(countsPatienceMs)
  try {
    const counting = countBehind(context, operation, result.receipt)
    return { ...result, receipt: await abortable(counting, AbortSignal.any([signal, patience])) }
  } catch (error) {
    signal.throwIfAborted()
    if (!patience.aborted) throw error
    return result
  }
}

/** The same for who waits for nothing. Never rejects: a receipt without counts is no failed change. */
export async function countBehind(
  context: Context,
  { id, app }: Operation,
  counted: Receipt,
): Promise<Receipt> {
  if (counted.measurement === null) return counted
  const { engine, store } = context
  const control = unbound()
  try {
    const receipt = completeReceipt(counted, await engine.measure(counted.measurement, control))
    await store.operations.completeReceipt(id, receipt)
    // Nothing of the app's drains any more: what it had alone can go.
    void revokeBehind(context, control)
    return receipt
  } catch (error) {
    context.log('warn', `the receipt of ${id} of ${app} stays without counts`, { code: codeOf(error) })
    return counted
  }
}

/** Of nobody who could leave. */
function unbound(): Control {
  return { signal: new AbortController().signal, report: () => undefined }
}
