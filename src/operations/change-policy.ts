import { RackError } from '../domain/error.ts'
import { changedPolicy, isNoChange, type Policy, type PolicyChange } from '../domain/policy.ts'
import type { Context } from './context.ts'

/**
 * Changes what processes may have of the machine, from the next build and promote on. One row, with who wanted it: it
 * is durable or did not happen, so there is nothing to take up, and no row of the journal.
 */
export async function changePolicy(context: Context, change: PolicyChange): Promise<Policy> {
  if (isNoChange(change)) throw new RackError('invalid', 'nothing of the policy was to be changed')
  const { name: actor } = context.caller
  const policy = await context.policy.change((present) => changedPolicy(present, change), actor)
  context.log('info', 'the policy is changed', { actor, ...change, policy })
  return policy
}
