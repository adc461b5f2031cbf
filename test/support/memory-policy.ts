import { strictPolicy, type PolicyKeeper } from '../../src/domain/policy.ts'

/** A policy that is kept nowhere; it outlives the daemons of one test. */
export function createMemoryPolicy(): PolicyKeeper {
  let policy = strictPolicy
  return {
    current: () => policy,
    change: async (derive) => (policy = derive(policy)),
  }
}
