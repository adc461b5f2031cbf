import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { resolve } from 'node:path'
import { createHmac, hkdfSync, randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import type { RackBackupSeal } from '../../domain/rack-backup.ts'
import { RackError } from '../../domain/error.ts'
import type { OptionSpec } from '../command-spec.ts'
import { readSecret } from '../read-secret.ts'
import type { Session } from '../session.ts'
import type { SealedBackup } from '../world.ts'

/** What is sealed in a file. Its first line says how its key is made of the secret; the rest is sealed, and bound to that line. */
export interface SealedKind {
  /** How the file begins. */
  magic: string
  /** Completes "is no …". */
  what: string
  /** What to type for one that is none. */
  hint: string
}

export const rackBackupFile: SealedKind = {
  magic: 'rack-backup ',
  what: 'backup of a rack',
  hint: 'rack backup makes one. One of a service, a volume or an app: rack services restore, rack volumes restore, rack apps import',
}

export const appExportFile: SealedKind = {
  magic: 'rack-app ',
  what: 'export of an app',
  hint: 'rack apps export makes one. A backup of a whole rack: rack restore',
}

const format = 1
const longestHead = 1000
const shortestPassphrase = 12
const shortestKeyFile = 32
const longestSecret = 65_536

/** 128 MiB and about half a second for each guess. */
const cost = { n: 2 ** 17, r: 8, p: 1 }
/** What a file may ask of the machine that reads it. */
const mostCost = { n: 2 ** 20, r: 16, p: 4 }

interface Head {
  format: number
  /** `scrypt` of a passphrase, `hkdf` of a key file. */
  kdf: 'scrypt' | 'hkdf'
  salt: string
  n?: number
  r?: number
  p?: number
  /** Tells a wrong secret from a damaged file. */
  check: string
}

/** The options by which a person names the secret. */
export const secretOptions: OptionSpec[] = [
  {
    flags: '--passphrase-file <file>',
    meaning: 'a file with the passphrase, instead of being asked for it; - is standard input',
  },
  { flags: '--key-file <file>', meaning: 'a file of at least 32 random bytes, instead of a passphrase' },
]

/** Makes the key of a new file of a secret that is asked for, twice. */
export async function makeSealingKey(session: Session, { magic }: SealedKind): Promise<RackBackupSeal> {
  const secret = await readBackupSecret(session, { isNew: true })
  const how = secret.isFile ? ({ kdf: 'hkdf' } as const) : ({ kdf: 'scrypt', ...cost } as const)
  const unchecked = { format, ...how, salt: randomBytes(32).toString('base64') }
  const key = await deriveKey(unchecked, secret.bytes)
  return { key, head: `${magic}${JSON.stringify({ ...unchecked, check: checkOf(key) })}\n` }
}

/**
 * Opens a file by a secret that is asked for. What comes from standard input, as `-`, is read once.
 * @throws not-found; invalid for what is no such file, for a newer one, and for a wrong secret
 */
export async function openSealedFile(
  session: Session,
  file: string,
  kind: SealedKind,
): Promise<SealedBackup> {
  const { text, content } =
    file === '-' ? await readHeadOfInput(session) : await readHead(resolve(session.world.cwd, file), file)
  const head = checkHead(text, file, kind)
  const isFile = session.options.text('key-file') !== undefined
  if (isFile !== (head.kdf === 'hkdf')) {
    throw new RackError('usage', `${file} is sealed by a ${isFile ? 'passphrase' : 'key file'}`, {
      hint: isFile ? 'Leave --key-file out, or name --passphrase-file FILE' : 'Name it: --key-file FILE',
    })
  }
  const secret = await readBackupSecret(session, { isNew: false })
  const key = await deriveKey(head, secret.bytes)
  if (!isSame(checkOf(key), head.check)) {
    throw new RackError('invalid', `that is not the ${isFile ? 'key file' : 'passphrase'} of ${file}`, {
      hint: 'Nothing was changed. Without the right one nothing in it can be read.',
    })
  }
  return { key, head: text, content }
}

/** What is sealed, behind its head. A reply that ended without a byte is no backup. */
export async function* headed(head: string, sealed: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let isEmpty = true
  for await (const chunk of sealed) {
    if (isEmpty) yield Buffer.from(head)
    isEmpty = false
    yield chunk
  }
  if (isEmpty) throw new RackError('unreachable', 'the rack sent nothing')
}

interface Opened {
  /** The first line; empty where there is none. */
  text: string
  content: SealedBackup['content']
}

async function readHeadOfInput({ world, options }: Session): Promise<Opened> {
  if (world.stdin.isTTY) throw new RackError('usage', 'what is sealed does not come from a terminal')
  if (options.text('passphrase-file') === '-')
    throw new RackError('usage', 'standard input cannot be both, the file and its passphrase')
  const chunks = (world.stdin as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]()
  let held = Buffer.alloc(0)
  while (!held.includes('\n') && held.length < longestHead) {
    const next = await chunks.next()
    if (next.done) break
    held = Buffer.concat([held, next.value])
  }
  const end = held.subarray(0, longestHead).indexOf('\n') + 1
  const content = async function* () {
    yield held.subarray(end)
    yield* { [Symbol.asyncIterator]: () => chunks }
  }
  return { text: held.subarray(0, end).toString(), content }
}

async function readHead(path: string, file: string): Promise<Opened> {
  const bytes = Buffer.alloc(longestHead)
  let length: number
  try {
    await using opened = await open(path, 'r')
    length = (await opened.read(bytes, 0, longestHead, 0)).bytesRead
  } catch (cause) {
    throw new RackError('not-found', `${file} cannot be read: ${(cause as Error).message}`, { cause })
  }
  const start = bytes.subarray(0, length).indexOf('\n') + 1
  const content = () => createReadStream(path, { start }) as AsyncIterable<Uint8Array>
  return { text: bytes.subarray(0, start).toString(), content }
}

function checkHead(text: string, file: string, kind: SealedKind): Head {
  if (!text.startsWith(kind.magic)) throw noneOf(kind, file)
  const head = parse(text.slice(kind.magic.length))
  if (!head) throw noneOf(kind, file)
  if (head.format !== format) {
    throw new RackError(
      'unsupported',
      `${file} was written by a newer version of Rack (form ${head.format})`,
      {
        hint: 'Nothing was changed. Take that version for it.',
      },
    )
  }
  const { n = 0, r = 0, p = 0 } = head
  const isScrypt = head.kdf === 'scrypt' && n > 1 && r > 0 && p > 0
  const isCheap = n <= mostCost.n && r <= mostCost.r && p <= mostCost.p
  if (!(head.kdf === 'hkdf' || (isScrypt && isCheap))) throw noneOf(kind, file)
  return head
}

/** Null for what is no head. */
function parse(text: string): Head | null {
  try {
    const head = JSON.parse(text) as Partial<Head> | null
    if (typeof head?.format === 'number' && head.format > format) return head as Head
    return typeof head?.salt === 'string' && typeof head.check === 'string' ? (head as Head) : null
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}

function noneOf({ what, hint }: SealedKind, file: string): RackError {
  return new RackError('invalid', `${file} is no ${what}`, { hint })
}

async function deriveKey(head: Omit<Head, 'check'>, secret: Buffer): Promise<Buffer> {
  const salt = Buffer.from(head.salt, 'base64')
  if (head.kdf === 'hkdf') return Buffer.from(hkdfSync('sha256', secret, salt, 'rack backup', 32))
  const { n, r, p } = { ...cost, ...head }
  const options = { N: n, r, p, maxmem: 256 * n * r }
  return await promisify<Buffer, Buffer, number, object, Buffer>(scrypt)(secret, salt, 32, options)
}

function checkOf(key: Uint8Array): string {
  return createHmac('sha256', key).update('rack backup check').digest('hex').slice(0, 32)
}

function isSame(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b))
}

async function readBackupSecret(
  session: Session,
  { isNew }: { isNew: boolean },
): Promise<{ bytes: Buffer; isFile: boolean }> {
  const { options, world } = session
  const keyFile = options.text('key-file')
  const passphraseFile = options.text('passphrase-file')
  if (keyFile !== undefined && passphraseFile !== undefined)
    throw new RackError('usage', 'one secret is enough: --passphrase-file or --key-file')
  if (keyFile !== undefined)
    return { bytes: await readSecretFile(world.cwd, keyFile, shortestKeyFile), isFile: true }
  const passphrase =
    passphraseFile === undefined || passphraseFile === '-'
      ? await askPassphrase(session, { isNew, mayAsk: passphraseFile === undefined })
      : (await readSecretFile(world.cwd, passphraseFile, 0)).toString().replace(/\r?\n$/, '')
  if (isNew && passphrase.length < shortestPassphrase) {
    throw new RackError('invalid', `a passphrase has ${shortestPassphrase} characters at least`, {
      hint: 'Four words that nobody would guess are better than one; or: --key-file FILE',
    })
  }
  return { bytes: Buffer.from(passphrase.normalize('NFC')), isFile: false }
}

async function askPassphrase(
  session: Session,
  { isNew, mayAsk }: { isNew: boolean; mayAsk: boolean },
): Promise<string> {
  const { stdin } = session.world
  if (mayAsk && !stdin.isTTY) {
    throw new RackError('usage', 'nobody is here to be asked for the passphrase', {
      hint: 'Name it: --passphrase-file FILE, or --key-file FILE',
    })
  }
  const given = await readSecret(session, isNew ? 'A passphrase for the file:' : 'Its passphrase:')
  if (!isNew || !stdin.isTTY) return given
  if ((await readSecret(session, 'Again:')) === given) return given
  throw new RackError('invalid', 'the two are not the same', { hint: 'Type the command again.' })
}

/** @throws usage for what cannot be read, or is too long or too short */
async function readSecretFile(cwd: string, file: string, shortest: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  try {
    for await (const chunk of createReadStream(resolve(cwd, file)) as AsyncIterable<Buffer>) {
      chunks.push(chunk)
      length += chunk.length
      if (length > longestSecret) break
    }
  } catch (cause) {
    throw new RackError('usage', `${file} cannot be read: ${(cause as Error).message}`, { cause })
  }
  if (length > longestSecret) throw new RackError('usage', `${file} is too long for a secret`)
  if (length >= shortest) return Buffer.concat(chunks)
  throw new RackError('invalid', `${file} has ${length} bytes: a key file has ${shortest} at least`, {
    hint: `Make one: head -c 32 /dev/urandom > ${file}`,
  })
}
