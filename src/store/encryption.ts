import { createCipheriv, createDecipheriv, createHash } from 'node:crypto'
import { RackError } from '../domain/error.ts'
import { keyBytes } from './key-file.ts'

const version = 'v1'
const nonceBytes = 12
const tagBytes = 16

/** Seals what is secret, so that it opens only with the key and only where it was put. */
export interface Cipher {
  /** Names the key without telling it. */
  keyId: string
  /** `place` says whose the text is: kind, app, id. @returns `v1.<key id>.<nonce, ciphertext and tag in base64url>` */
  seal(text: string, place: string[]): string
  /** @throws store-failed for another key, another place or a changed byte */
  open(envelope: string, place: string[]): string
}

/**
 * AES-256-GCM with a fresh nonce for every envelope and the place as associated data.
 * @param key 32 bytes
 */
export function createCipher(key: Buffer, randomBytes: (count: number) => Uint8Array): Cipher {
  if (key.length !== keyBytes) throw new RangeError(`a key has ${keyBytes} bytes, not ${key.length}`)
  const keyId = createHash('sha256').update('rack key id').update(key).digest('hex').slice(0, 16)

  const seal = (text: string, place: string[]): string => {
    const nonce = randomBytes(nonceBytes)
    const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes })
    cipher.setAAD(associated(keyId, place))
    const sealed = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()])
    return [version, keyId, sealed.toString('base64url')].join('.')
  }

  const open = (envelope: string, place: string[]): string => {
    const [foundVersion, foundKey, body, ...rest] = envelope.split('.')
    const isOurs = foundVersion === version && body !== undefined && rest.length === 0
    if (!isOurs) throw damaged(place)
    if (foundKey !== keyId) throw otherKey(place)
    const bytes = Buffer.from(body, 'base64url')
    if (bytes.length < nonceBytes + tagBytes) throw damaged(place)
    try {
      return decrypt(key, bytes, associated(keyId, place))
    } catch (cause) {
      throw damaged(place, cause)
    }
  }

  return { keyId, seal, open }
}

function decrypt(key: Buffer, bytes: Buffer, associatedData: Buffer): string {
  const tagAt = bytes.length - tagBytes
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, nonceBytes), {
    authTagLength: tagBytes,
  })
  decipher.setAAD(associatedData)
  decipher.setAuthTag(bytes.subarray(tagAt))
  return Buffer.concat([decipher.update(bytes.subarray(nonceBytes, tagAt)), decipher.final()]).toString(
    'utf8',
  )
}

/** JSON, so that no two places have the same bytes; the version and the key can't be exchanged either. */
function associated(keyId: string, place: string[]): Buffer {
  return Buffer.from(JSON.stringify([version, keyId, ...place]))
}

function damaged(place: string[], cause?: unknown): RackError {
  return new RackError('store-failed', `what the store holds for ${place.join(' ')} is damaged`, {
    hint: 'Restore the rack directory from a backup.',
    cause,
  })
}

function otherKey(place: string[]): RackError {
  return new RackError(
    'store-failed',
    `what the store holds for ${place.join(' ')} was sealed with another key`,
    {
      hint: "Put back the key file that belongs to this store; a backup of the rack's directory has it.",
    },
  )
}
