import { createPrivateKey, sign, type JsonWebKey, type KeyObject } from 'node:crypto'
import { createSshReader, sshInteger, sshString, type SshReader } from './ssh-wire.ts'

/** A private key that signs for whoever logs in. */
export interface SshKey {
  /** The public half, as a server knows it. */
  blob: Buffer
  /** @param flags of the agent's protocol: which hash an RSA key is to use */
  sign(data: Uint8Array, flags: number): Buffer
}

const curves: Record<string, { name: string; hash: string; jwk: string }> = {
  'P-256': { name: 'nistp256', hash: 'sha256', jwk: 'P-256' },
  'P-384': { name: 'nistp384', hash: 'sha384', jwk: 'P-384' },
  'P-521': { name: 'nistp521', hash: 'sha512', jwk: 'P-521' },
}

/**
 * Reads a private key: OpenSSH's own form, or PEM; of Ed25519, RSA or ECDSA.
 * @throws Error saying what is wrong with it, never what it holds
 */
export function readSshKey(text: string): SshKey {
  const key = keyObject(text.trim())
  const jwk = key.export({ format: 'jwk' })
  if (jwk.kty === 'OKP' && jwk.crv === 'Ed25519') return ed25519(key, jwk)
  if (jwk.kty === 'RSA') return rsa(key, jwk)
  const curve = curves[jwk.crv ?? '']
  if (jwk.kty === 'EC' && curve) return ecdsa(key, jwk, curve)
  throw new Error('it is of a kind that is not known: make one with ssh-keygen -t ed25519')
}

function ed25519(key: KeyObject, { x = '' }: JsonWebKey): SshKey {
  const name = 'ssh-ed25519'
  return {
    blob: Buffer.concat([sshString(name), sshString(bytesOf(x))]),
    sign: (data) => signature(name, sign(null, data, key)),
  }
}

const sha256Flag = 2
const sha512Flag = 4

function rsa(key: KeyObject, { n = '', e = '' }: JsonWebKey): SshKey {
  return {
    blob: Buffer.concat([sshString('ssh-rsa'), sshInteger(bytesOf(e)), sshInteger(bytesOf(n))]),
    sign(data, flags) {
      if (flags & sha512Flag) return signature('rsa-sha2-512', sign('sha512', data, key))
      if (flags & sha256Flag) return signature('rsa-sha2-256', sign('sha256', data, key))
      return signature('ssh-rsa', sign('sha1', data, key))
    },
  }
}

function ecdsa(
  key: KeyObject,
  { x = '', y = '' }: JsonWebKey,
  curve: { name: string; hash: string },
): SshKey {
  const name = `ecdsa-sha2-${curve.name}`
  const point = Buffer.concat([Buffer.from([4]), bytesOf(x), bytesOf(y)])
  return {
    blob: Buffer.concat([sshString(name), sshString(curve.name), sshString(point)]),
    sign(data) {
      const both = sign(curve.hash, data, { key, dsaEncoding: 'ieee-p1363' })
      const half = both.length / 2
      return signature(
        name,
        Buffer.concat([sshInteger(both.subarray(0, half)), sshInteger(both.subarray(half))]),
      )
    },
  }
}

function signature(name: string, bytes: Uint8Array): Buffer {
  return Buffer.concat([sshString(name), sshString(bytes)])
}

const openSsh = /^-----BEGIN OPENSSH PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END OPENSSH PRIVATE KEY-----$/

function keyObject(text: string): KeyObject {
  const own = openSsh.exec(text)
  try {
    if (own) return createPrivateKey({ format: 'jwk', key: readOpenSsh(Buffer.from(own[1]!, 'base64')) })
    return createPrivateKey(text)
  } catch (cause) {
    if (cause instanceof UnusableKeyError) throw cause
    const isLocked = /ENCRYPTED|passphrase/i.test(`${text.slice(0, 200)} ${String(cause)}`)
    throw new UnusableKeyError(
      isLocked ? locked : 'it is no private key: its first line is -----BEGIN … PRIVATE KEY-----',
    )
  }
}

/** Holds nothing of the key. */
class UnusableKeyError extends Error {}

const locked = 'it has a passphrase, which nobody would type: ssh-keygen -p -N "" -f FILE makes one without'

/** @see https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.key */
function readOpenSsh(bytes: Buffer): JsonWebKey {
  const magic = 'openssh-key-v1\0'
  if (bytes.toString('latin1', 0, magic.length) !== magic)
    throw new RangeError('it does not begin as it should')
  const outer = createSshReader(bytes.subarray(magic.length))
  const cipher = outer.string().toString()
  outer.string()
  outer.string()
  outer.number()
  outer.string()
  if (cipher !== 'none') throw new UnusableKeyError(locked)
  const inner = createSshReader(outer.string())
  inner.number()
  inner.number()
  return jwkOf(inner.string().toString(), inner)
}

function jwkOf(type: string, fields: SshReader): JsonWebKey {
  if (type === 'ssh-ed25519') {
    const x = textOf(fields.string())
    return { kty: 'OKP', crv: 'Ed25519', x, d: textOf(fields.string().subarray(0, 32)) }
  }
  if (type === 'ssh-rsa') return rsaJwk(fields)
  const curve = Object.values(curves).find(({ name }) => type === `ecdsa-sha2-${name}`)
  if (!curve)
    throw new UnusableKeyError('it is of a kind that is not known: make one with ssh-keygen -t ed25519')
  fields.string()
  const point = fields.string().subarray(1)
  const half = point.length / 2
  const d = padded(fields.string(), half)
  return {
    kty: 'EC',
    crv: curve.jwk,
    x: textOf(point.subarray(0, half)),
    y: textOf(point.subarray(half)),
    d: textOf(d),
  }
}

function rsaJwk(fields: SshReader): JsonWebKey {
  const [n, e, d, qi, p, q] = Array.from({ length: 6 }, () => numberOf(fields.string())) as [
    bigint,
    bigint,
    bigint,
    bigint,
    bigint,
    bigint,
  ]
  const numbers = { n, e, d, p, q, dp: d % (p - 1n), dq: d % (q - 1n), qi }
  return {
    kty: 'RSA',
    ...Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, digits(value)])),
  }
}

const numberOf = (bytes: Buffer) => BigInt(`0x${bytes.toString('hex') || '0'}`)
const textOf = (bytes: Buffer) => bytes.toString('base64url')
const bytesOf = (text: string) => Buffer.from(text, 'base64url')

function digits(value: bigint): string {
  const hex = value.toString(16)
  return textOf(Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex'))
}

/** Of the last bytes as many as are wanted, with zeros before them. */
function padded(bytes: Buffer, length: number): Buffer {
  return Buffer.concat([Buffer.alloc(length), bytes]).subarray(-length)
}
