import { createHash, randomBytes } from 'node:crypto'

/** Something to be shown once, and the hash by which it is known again. */
export interface FreshSecret {
  /** The prefix and 32 random bytes in base64url. */
  text: string
  /** In hex. */
  sha256: string
}

export function freshSecret(prefix: string): FreshSecret {
  const text = `${prefix}${randomBytes(32).toString('base64url')}`
  return { text, sha256: createHash('sha256').update(text).digest('hex') }
}
