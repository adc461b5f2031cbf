import type { Policy, PolicyKeeper } from '../domain/policy.ts'
import type { PolicyStore } from '../domain/stores/rack-stores.ts'
import { createSemaphore } from '../lib/semaphore.ts'

export interface PolicyOptions {
  policies: PolicyStore
  /** What a rack begins with whose store keeps no policy yet. */
  seed: Policy
  /** Refuses paths that may never be allowed; only who knows the machine can say. @throws invalid */
  checkBinds: (paths: string[]) => Promise<void>
}

/** Keeps the policy in the store; what holds now is at hand without asking it. */
export async function openPolicy({ policies, seed, checkBinds }: PolicyOptions): Promise<PolicyKeeper> {
  const turn = createSemaphore(1)
  let held = await policies.seed(seed, 'install')
  return {
    current: () => held.policy,
    change: (derive, actor) =>
      turn.run(async () => {
        held = (await policies.newest()) ?? held
        const before = held.policy
        const policy = derive(before)
        await checkBinds(policy.binds.filter((path) => !before.binds.includes(path)))
        held = await policies.replace(held.revision, policy, actor)
        return policy
      }),
  }
}
