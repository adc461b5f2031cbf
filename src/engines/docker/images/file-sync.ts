import { posix } from 'node:path'
import { RackError } from '../../../domain/error.ts'
import { bytesField, numberAt, numberField, readFields } from '../../../lib/protobuf.ts'
import { readTar, type TarEntry } from '../../../lib/tar.ts'
import type { Flow } from './grpc-calls.ts'

/** A fresh tar of a folder each time it is called. */
export type OpenFolder = () => AsyncIterable<Uint8Array>

/** @see https://github.com/tonistiigi/fsutil/blob/master/types/wire.proto */
const packets = { stat: 0, request: 1, data: 2, finish: 3, error: 4 } as const

/** What the other side has asked for so far. */
interface Wishes {
  /** Numbers of files whose content it wants. */
  wanted: Set<number>
  isOver: boolean
  /** Settles when one of the two has changed. */
  changed: PromiseWithResolvers<void>
}

/**
 * Gives a folder to BuildKit as it asks: first what is in it, by name, then the contents that it wants, in as many
 * passes over the tar as that takes. Nothing of it is held but the list.
 */
export function syncFolder(open: OpenFolder): Flow {
  const wishes: Wishes = { wanted: new Set(), isOver: false, changed: Promise.withResolvers() }
  const change = (act: () => void) => {
    act()
    wishes.changed.resolve()
    wishes.changed = Promise.withResolvers()
  }
  return {
    take(message) {
      const fields = readFields(message)
      const type = numberAt(fields, 1)
      if (type === packets.request) change(() => wishes.wanted.add(numberAt(fields, 3)))
      if (type === packets.finish || type === packets.error) change(() => (wishes.isOver = true))
    },
    end: () => change(() => (wishes.isOver = true)),
    output: give(open, wishes),
  }
}

async function* give(open: OpenFolder, wishes: Wishes): AsyncGenerator<Uint8Array> {
  const entries = await listEntries(open())
  for (const entry of entries) yield statOf(entry)
  yield packet(packets.stat)
  // By the path at which the tar has the content.
  const numbers = Map.groupBy(entries.keys(), (number) => entries[number]!.contentOf ?? '')
  while (!wishes.isOver) {
    if (wishes.wanted.size === 0) await wishes.changed.promise
    else yield* pass(open, wishes, numbers)
  }
  yield packet(packets.finish)
}

/** Sends what is wanted by the time that its turn comes; what is asked for later is left to the next pass. */
async function* pass(
  open: OpenFolder,
  wishes: Wishes,
  numbers: Map<string, number[]>,
): AsyncGenerator<Uint8Array> {
  const { wanted } = wishes
  const before = [...wanted]
  for await (const { header, content } of readTar(open())) {
    if (wishes.isOver) return
    const own = (numbers.get(pathOf(header.name)) ?? []).filter((number) => wanted.delete(number))
    if (own.length === 0) continue
    for await (const chunk of content) for (const number of own) yield packet(packets.data, number, chunk)
    for (const number of own) yield packet(packets.data, number)
  }
  const missing = before.some((number) => wanted.has(number))
  if (missing) throw new RackError('invalid', 'the source of the build has changed while it was read')
}

/** A file, folder or link of a tar. */
interface Entry {
  path: string
  type: 'file' | 'directory' | 'symlink'
  mode: number
  size: number
  /** Seconds since 1970. */
  modified: number
  link: string
  /** Where the tar has its content; null for what has none. */
  contentOf: string | null
}

/** In the order in which BuildKit wants them: a folder, then what is in it, names by their bytes; folders that no entry names too. */
async function listEntries(tar: AsyncIterable<Uint8Array>): Promise<Entry[]> {
  const found = new Map<string, Entry>()
  for await (const { header } of readTar(tar)) {
    const path = pathOf(header.name)
    if (path === '' || path === '.' || path === '..' || path.startsWith('../')) continue
    found.set(path, entryOf(path, header, found))
  }
  for (const path of found.keys()) {
    for (let above = posix.dirname(path); above !== '.' && !found.has(above); above = posix.dirname(above))
      found.set(above, folder(above))
  }
  const keys = new Map([...found.keys()].map((path) => [path, Buffer.from(path.replaceAll('/', '\0'))]))
  return [...found.values()].sort((a, b) => Buffer.compare(keys.get(a.path)!, keys.get(b.path)!))
}

function pathOf(name: string): string {
  return posix.normalize(name).replace(/^\/+/, '').replace(/\/$/, '')
}

function folder(path: string): Entry {
  return { path, type: 'directory', mode: 0o755, size: 0, modified: 0, link: '', contentOf: null }
}

function entryOf(path: string, header: TarEntry['header'], before: Map<string, Entry>): Entry {
  const { type, size, linkname, mtime } = header
  const mode = header.mode & 0o7777
  const modified = Math.max(0, Math.floor((mtime ?? new Date(0)).getTime() / 1000))
  const own = { path, mode, modified, link: '', size: 0, contentOf: null }
  if (type === 'directory') return { ...own, type }
  if (type === 'symlink') return { ...own, type, link: linkname ?? '' }
  if (type !== 'link') return { ...own, type: 'file', size, contentOf: path }
  // A further name of a file is a file of the same content here.
  const target = before.get(pathOf(linkname ?? ''))
  if (target?.type === 'file') return { ...target, path }
  throw new RackError('invalid', `${path} is a hard link to what the source does not have`)
}

/** As Go writes them. @see https://pkg.go.dev/io/fs#FileMode */
const modes = { directory: 2 ** 31, symlink: 2 ** 27, file: 0 } as const
const special = [
  { unix: 0o4000, go: 2 ** 23 },
  { unix: 0o2000, go: 2 ** 22 },
  { unix: 0o1000, go: 2 ** 20 },
]

/** Of root, as all that is copied without `--chown`. @see https://github.com/tonistiigi/fsutil/blob/master/types/stat.proto */
function statOf({ path, type, mode, size, modified, link }: Entry): Buffer {
  const bits = special.reduce((sum, { unix, go }) => sum + ((mode & unix) === 0 ? 0 : go), 0)
  const stat = Buffer.concat([
    bytesField(1, path),
    numberField(2, modes[type] + bits + (mode & 0o777)),
    numberField(5, size),
    numberField(6, modified * 1e9),
    ...(link === '' ? [] : [bytesField(7, link)]),
  ])
  return Buffer.concat([numberField(1, packets.stat), bytesField(2, stat)])
}

function packet(type: number, number = 0, data: Uint8Array = Buffer.alloc(0)): Buffer {
  const parts = [numberField(1, type), numberField(3, number)]
  return Buffer.concat(data.length === 0 ? parts : [...parts, bytesField(4, data)])
}
