import type { Selectable, Transaction } from 'kysely'
import { noServiceError, refuseUnready } from '../domain/service.ts'
import { sharedAlready, type KeptShare, type Share, type ShareKeys } from '../domain/share.ts'
import type { ShareStore } from '../domain/stores/service-stores.ts'
import { withNewId, type StoreContext } from './context.ts'
import { lockService } from './release-links.ts'
import type { Schema } from './schema.ts'

const keysPlace = ['share keys']

/** Shares as rows; the keys by which other racks come in are sealed. */
export function createShareStore(context: StoreContext): ShareStore {
  const { db, cipher, now } = context
  return {
    begin: async (derive) =>
      await withNewId(context, 'S', async (id) => {
        const share = await derive(id)
        return await db
          .transaction()
          .execute(async (transaction) => await insert(context, transaction, { id, ...share }))
      }),
    async list() {
      return (await db.selectFrom('shares').selectAll().orderBy('seq').execute()).map(readShare)
    },
    async open(id) {
      const opening = db.updateTable('shares').set({ status: 'open' }).where('id', '=', id)
      await opening.where('status', '=', 'opening').execute()
    },
    async revoke(id) {
      const revoking = db.updateTable('shares').set({ status: 'closing', revoked: now() })
      await revoking.where('id', '=', id).where('revoked', 'is', null).execute()
    },
    async close(id) {
      const closing = db.updateTable('shares').set({ status: 'revoked' })
      await closing.where('id', '=', id).where('status', '=', 'closing').execute()
    },
    async keys() {
      const row = await db.selectFrom('share_keys').select('keys').executeTakeFirst()
      return row ? (JSON.parse(cipher.open(row.keys, keysPlace)) as ShareKeys) : null
    },
    async keepKeys(keys) {
      const sealed = { keys: cipher.seal(JSON.stringify(keys), keysPlace) }
      await db
        .insertInto('share_keys')
        .values({ single: 1, ...sealed })
        .onConflict((conflict) => conflict.column('single').doUpdateSet(sealed))
        .execute()
    },
  }
}

async function insert(
  context: StoreContext,
  transaction: Transaction<Schema>,
  share: Omit<Share, 'created'>,
): Promise<Share> {
  const { service, consumer, allow } = share
  const found = await lockService(context, transaction, service)
  if (!found) throw noServiceError(service)
  refuseUnready(found)
  const others = await readOpen(transaction, service)
  if (others.some((other) => other.consumer === consumer)) throw sharedAlready(service, consumer)
  const made = { ...share, created: context.now() }
  const row = { ...made, allow: JSON.stringify(allow), status: 'opening' as const, revoked: null }
  await transaction.insertInto('shares').values(row).execute()
  return made
}

/** Those of a service that are not taken back. */
export async function readOpen(transaction: Transaction<Schema>, service: string): Promise<KeptShare[]> {
  const rows = transaction.selectFrom('shares').selectAll().where('service', '=', service)
  return (await rows.where('revoked', 'is', null).orderBy('seq').execute()).map(readShare)
}

function readShare({ seq: _seq, allow, ...row }: Selectable<Schema['shares']>): KeptShare {
  return { ...row, allow: JSON.parse(allow) as string[] }
}
