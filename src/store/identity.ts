import { RackError } from '../domain/error.ts'
import type { Database } from './database.ts'
import { createCipher, type Cipher } from './encryption.ts'
import type { Sealing } from '../domain/store.ts'
import { keyBytes } from './key-file.ts'
import type { KeySource } from './store-keys.ts'
import { createSealing } from './stream-encryption.ts'

interface Claim {
  rack: string
  seals: KeySource
  randomBytes: (count: number) => Uint8Array
  now: () => string
}

/**
 * Takes the key that belongs to the database. A database that is new gets this rack's name and key; afterwards it
 * opens with them alone, so that a lost key is noticed at once and never replaced by another.
 * @throws store-failed
 */
export async function openSeals(
  { db }: Database,
  claim: Claim,
): Promise<{ cipher: Cipher; sealing: Sealing }> {
  const isClaimed = await db.selectFrom('identity').select('single').executeTakeFirst()
  const found = await claim.seals.read()
  if (!found && isClaimed) throw lostKey(claim.seals)
  const key = found ?? (await claim.seals.create(claim.randomBytes(keyBytes)))
  const cipher = createCipher(key, claim.randomBytes)
  await db
    .insertInto('identity')
    .values({ single: 1, rack: claim.rack, key_id: cipher.keyId, created: claim.now() })
    .onConflict((conflict) => conflict.column('single').doNothing())
    .execute()
  const owner = await db.selectFrom('identity').select(['rack', 'key_id']).executeTakeFirstOrThrow()
  if (owner.rack !== claim.rack) throw otherRack(owner.rack, claim.rack)
  if (owner.key_id !== cipher.keyId) throw otherKey(claim.seals)
  return { cipher, sealing: createSealing(key, claim.randomBytes) }
}

function lostKey({ name }: KeySource): RackError {
  return new RackError('store-failed', `${name} is missing, and the store was sealed with it`, {
    hint: 'Put it back from a backup; a new key would open nothing.',
  })
}

function otherKey({ name, hint }: KeySource): RackError {
  return new RackError('store-failed', `${name} is not the one that the store was sealed with`, { hint })
}

function otherRack(owner: string, rack: string): RackError {
  return new RackError('store-failed', `the database belongs to the rack "${owner}", not to "${rack}"`, {
    hint: 'Give every rack a database of its own.',
  })
}
