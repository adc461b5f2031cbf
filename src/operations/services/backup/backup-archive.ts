import { createHash } from 'node:crypto'
import { RackError } from '../../../domain/error.ts'
import { bytesUpTo } from '../../../lib/bytes-up-to.ts'
import { readTar } from '../../../lib/tar.ts'
import { tarEnd, tarHead, tarPadding } from '../../../lib/tar-blocks.ts'

/** What a backup says of itself, first. */
export interface AboutBackup {
  /** Of the archive. */
  format: 1
  service: string
  type: string
  version: string
  /** RFC 3339. */
  created: string
  /** Where a service serves whose type does not say it. */
  port?: number
}

/** A stream of unknown length, which is begun when it is its turn. */
export interface PartStream {
  name: string
  content: AsyncIterable<Uint8Array>
}

export interface PartSum {
  name: string
  bytes: number
  sha256: string
}

const aboutName = 'about.json'
const sumsName = 'sums.json'

/** What is held whole of an archive that may be anybody's. */
const [mostAboutBytes, mostSumsBytes, mostParts] = [64 * 1024, 16 * 2 ** 20, 100_000]

/** A part is cut, since a tar says the length of what follows; a piece is all that is held. */
const pieceBytes = 2 ** 20

/**
 * A tar of `about.json`, of each part in pieces (`NAME/00000001` …, which put together are the part), and of `sums.json`,
 * without which it is not whole.
 * @param told hears the sums once everything else is written
 */
export async function* packBackup(
  about: AboutBackup,
  parts: Iterable<PartStream> | AsyncIterable<PartStream>,
  told: (sums: PartSum[]) => void = () => undefined,
): AsyncGenerator<Uint8Array> {
  const modified = new Date(about.created)
  const file = function* (name: string, content: Uint8Array) {
    yield tarHead({ name, type: 'file', mode: 0o600, size: content.length, modified })
    yield content
    yield tarPadding(content.length)
  }
  yield* file(aboutName, json(about))
  const sums: PartSum[] = []
  for await (const { name, content } of parts) {
    const sum = createHash('sha256')
    let [bytes, number] = [0, 0]
    for await (const piece of piecesOf(content)) {
      sum.update(piece)
      bytes += piece.length
      yield* file(`${name}/${String(++number).padStart(8, '0')}`, piece)
    }
    sums.push({ name, bytes, sha256: sum.digest('hex') })
  }
  told(sums)
  yield* file(sumsName, json(sums))
  yield tarEnd()
}

/**
 * Reads what `packBackup` wrote. Each part must be read to its end before the next is asked for.
 * @throws invalid for what is no backup, is cut, or does not have the sums that it says
 */
export async function* readBackup(
  archive: AsyncIterable<Uint8Array>,
  told: (sums: PartSum[]) => void = () => undefined,
): AsyncGenerator<{ about: AboutBackup } | PartStream> {
  const entries = entriesOf(archive)
  const first = await entries.next()
  if (first.done || first.value.name !== aboutName) throw damaged('it is no backup of a service')
  yield { about: readAbout(await textOf(first.value, mostAboutBytes)) }
  const found: PartSum[] = []
  let entry = await entries.next()
  while (!entry.done && entry.value.name !== sumsName) {
    const name = partOf(entry.value.name)
    const sum = createHash('sha256')
    let [bytes, isRead] = [0, false]
    const content = async function* () {
      while (!entry.done && entry.value.name.startsWith(`${name}/`)) {
        for await (const chunk of entry.value.content) {
          sum.update(chunk)
          bytes += chunk.length
          yield chunk
        }
        entry = await entries.next()
      }
      isRead = true
    }
    yield { name, content: content() }
    if (!isRead) throw new Error(`${name} was not read to its end`)
    if (found.length === mostParts) throw damaged(`it has more than ${mostParts} parts`)
    found.push({ name, bytes, sha256: sum.digest('hex') })
  }
  if (entry.done) throw damaged('its end is missing')
  const said = readSums(await textOf(entry.value, mostSumsBytes))
  // A part without a byte has no piece.
  const whole = said.filter(({ bytes }) => bytes > 0)
  if (JSON.stringify(whole) !== JSON.stringify(found)) throw damaged('its checksums are wrong')
  // What is behind them is read too: the end of what it was compressed to, with a checksum of its own.
  if (!(await entries.next()).done) throw damaged('more follows its checksums')
  told(said)
}

/** Reads all of it. @throws invalid as `readBackup` does */
export async function verifyBackup(
  archive: AsyncIterable<Uint8Array>,
): Promise<{ about: AboutBackup; parts: PartSum[] }> {
  let about: AboutBackup | undefined
  let parts: PartSum[] = []
  for await (const item of readBackup(archive, (sums) => (parts = sums))) {
    if ('about' in item) ({ about } = item)
    else for await (const _ of item.content);
  }
  return { about: about!, parts }
}

interface Entry {
  name: string
  content: AsyncIterable<Uint8Array>
}

async function* entriesOf(archive: AsyncIterable<Uint8Array>): AsyncGenerator<Entry> {
  for await (const { header, content } of readable(readTar(archive))) {
    yield { name: header.name, content: readable(content) }
  }
}

/** What cannot be read is damaged; what failed on the way here says so itself. */
async function* readable<T>(stream: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* stream
  } catch (cause) {
    throw cause instanceof RackError ? cause : damaged('it cannot be read to its end', cause)
  }
}

async function textOf({ name, content }: Entry, mostBytes: number): Promise<string> {
  const bytes = await bytesUpTo(content, mostBytes)
  if (bytes === null) throw damaged(`its ${name} is larger than ${mostBytes / 1024} KiB`)
  return bytes.toString()
}

function partOf(name: string): string {
  const at = name.lastIndexOf('/')
  if (at <= 0) throw damaged(`it holds ${name}, which is nothing of it`)
  return name.slice(0, at)
}

async function* piecesOf(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let held: Uint8Array[] = []
  let length = 0
  for await (const chunk of content) {
    held.push(chunk)
    length += chunk.length
    if (length < pieceBytes) continue
    yield Buffer.concat(held)
    held = []
    length = 0
  }
  if (length > 0) yield Buffer.concat(held)
}

function readAbout(text: string): AboutBackup {
  const about = parse(text) as AboutBackup | null
  if (about?.format !== 1) throw damaged('it is of a form that this version does not know')
  return about
}

function readSums(text: string): PartSum[] {
  const sums = parse(text)
  if (!Array.isArray(sums)) throw damaged('its checksums cannot be read')
  return sums as PartSum[]
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw damaged('what it says of itself cannot be read', cause)
  }
}

function json(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value))
}

function damaged(why: string, cause?: unknown): RackError {
  return new RackError('invalid', `the backup cannot be used: ${why}`, { cause })
}
