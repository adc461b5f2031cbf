import type { Selectable } from 'kysely'
import { RackError } from '../domain/error.ts'
import { strictPolicy, type Policy } from '../domain/policy.ts'
import type { PolicyRevision, PolicyStore } from '../domain/stores/rack-stores.ts'
import { clean, type StoreContext } from './context.ts'
import type { Schema } from './schema.ts'

/** Policies as rows that are never changed: the newest holds, and all say who wanted them and when. */
export function createPolicyStore({ db, now }: StoreContext): PolicyStore {
  const newest = async () => {
    const rows = db.selectFrom('policies').selectAll().orderBy('revision', 'desc').limit(1)
    const row = await rows.executeTakeFirst()
    return row ? revisionOf(row) : null
  }
  /** The key lets one of two at once in. */
  const append = async (revision: number, policy: Policy, actor: string) => {
    const row = { revision, policy: JSON.stringify(policy), actor: clean(actor), since: now() }
    const { numInsertedOrUpdatedRows } = await db
      .insertInto('policies')
      .values(row)
      .onConflict((conflict) => conflict.column('revision').doNothing())
      .executeTakeFirstOrThrow()
    return numInsertedOrUpdatedRows === 0n ? null : revisionOf(row)
  }
  return {
    newest,
    async seed(policy, actor) {
      const kept = (await newest()) ?? (await append(1, policy, actor)) ?? (await newest())
      if (kept) return kept
      throw new RackError('store-failed', 'the store keeps no policy')
    },
    async replace(revision, policy, actor) {
      const kept = await append(revision + 1, policy, actor)
      if (kept) return kept
      throw new RackError('conflict', 'the policy was changed by another meanwhile', {
        hint: 'Look at it, then try again: rack policy',
      })
    },
  }
}

function revisionOf({ revision, policy, actor, since }: Selectable<Schema['policies']>): PolicyRevision {
  return { revision, policy: { ...strictPolicy, ...(JSON.parse(policy) as Partial<Policy>) }, actor, since }
}
