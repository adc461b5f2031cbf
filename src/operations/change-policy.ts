import { RackError } from '../domain/error.ts'
import { changedPolicy, type Policy, type PolicyChange } from '../domain/policy.ts'
import type { Context } from './context.ts'

/**
 * Changes what processes may have of the machine, from the next build and promote on. One write, which is durable or
 * did not happen: there is nothing to take up, and so no row of the journal. Who did it is in the daemon's log.
 */
export async function changePolicy(context: Context, change: PolicyChange, actor: string): Promise<Policy> {
  const { allowBinds, denyBinds, privileged } = change
  if (allowBinds.length + denyBinds.length === 0 && privileged === null) {
    throw new RackError('invalid', 'nothing of the policy was to be changed')
  }
  const policy = await context.policy.change((present) => changedPolicy(present, change))
  context.log('info', 'the policy is changed', { actor, ...change, policy })
  return policy
}
