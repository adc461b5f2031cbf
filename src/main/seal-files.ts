import { randomBytes } from 'node:crypto'
import type { Sealing } from '../domain/store.ts'
import { createSealing } from '../store/stream-encryption.ts'

/** Seals for a command line, which does not know the store. @param key 32 bytes */
export function sealingOfFiles(key: Uint8Array): Sealing {
  return createSealing(Buffer.from(key), randomBytes)
}
