import type { Certificate } from '../domain/certificate.ts'
import type { CertificateStore } from '../domain/stores/rack-stores.ts'
import type { StoreContext } from './context.ts'

/** Certificates and authorities, their keys sealed. */
export function createCertificateStore({ db, cipher, now }: StoreContext): CertificateStore {
  const authority = async (name: string) => {
    const row = await db.selectFrom('authorities').selectAll().where('name', '=', name).executeTakeFirst()
    return row && { certificate: row.certificate, key: cipher.open(row.key, ['authority', name]) }
  }
  return {
    async list() {
      const rows = await db
        .selectFrom('certificates')
        .selectAll()
        .orderBy('since', 'desc')
        .orderBy('id')
        .execute()
      return rows.map(({ id, facts, chain, key, since }) => ({
        ...factsOf(facts),
        id,
        chain,
        key: cipher.open(key, ['certificate', id]),
        since,
      }))
    },
    async add({ id, chain, key, names, issuer, fingerprint, from, until, authority }) {
      const facts = JSON.stringify({ names, issuer, fingerprint, from, until, authority })
      const sealed = cipher.seal(key, ['certificate', id])
      await db.insertInto('certificates').values({ id, facts, chain, key: sealed, since: now() }).execute()
    },
    async remove(id) {
      const { numDeletedRows } = await db
        .deleteFrom('certificates')
        .where('id', '=', id)
        .executeTakeFirstOrThrow()
      return numDeletedRows > 0n
    },
    async authority(name, make) {
      const known = await authority(name)
      if (known) return known
      const { certificate, key } = await make()
      await db
        .insertInto('authorities')
        .values({ name, certificate, key: cipher.seal(key, ['authority', name]) })
        .onConflict((conflict) => conflict.column('name').doNothing())
        .execute()
      return (await authority(name)) ?? { certificate, key }
    },
  }
}

type Facts = Omit<Certificate, 'id' | 'since'>

/** Those of an earlier version do not say who has given it: it was brought. */
function factsOf(text: string): Facts {
  const facts = JSON.parse(text) as Omit<Facts, 'authority'> & Partial<Facts>
  return { ...facts, authority: facts.authority ?? null }
}
