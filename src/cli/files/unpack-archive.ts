import { randomBytes } from 'node:crypto'
import { constants, type Stats } from 'node:fs'
import { chmod, link, lstat, lutimes, mkdir, open, rename, rm, symlink, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import type { Header } from 'tar-stream'
import { RackError } from '../../domain/error.ts'
import type { TarEntry } from '../../lib/tar.ts'
import { localFailure } from './local-failure.ts'

/** Where the entries of an archive go: what its first one is called becomes `root`. */
export interface Unpacking {
  entries: AsyncIterable<TarEntry>
  /** The name that every entry begins with. */
  base: string
  /** What the base becomes here: the path of a file, or of a directory that is there or is made. */
  root: string
  signal: AbortSignal
  /** Hears of what is left out. */
  onSkipped: (name: string, reason: string) => void
}

/**
 * Writes an archive whose maker is not trusted: nothing is written outside the root, and through no link that the archive
 * or the root holds. A file has its name when it is whole.
 * @returns how many files and links were written
 */
export async function unpackArchive(unpacking: Unpacking): Promise<number> {
  const tree = createTree(unpacking)
  let count = 0
  for await (const entry of unpacking.entries) {
    unpacking.signal.throwIfAborted()
    if (await unpackEntry(tree, unpacking, entry)) count++
  }
  await tree.settle()
  return count
}

/** @returns whether a file or link was made of it */
async function unpackEntry(
  tree: Tree,
  unpacking: Unpacking,
  { header, content }: TarEntry,
): Promise<boolean> {
  const parts = partsOf(header.name, unpacking.base)
  const place = join(unpacking.root, ...parts)
  try {
    switch (header.type) {
      case 'directory':
        await tree.makeDirectory(parts, header)
        return false
      case 'file':
      case 'contiguous-file':
        await tree.place(parts, (temporary) => writeFile(temporary, header, content, unpacking.signal))
        return true
      case 'symlink':
        await tree.place(parts, (temporary) => makeSymlink(temporary, header))
        return true
      case 'link':
        await tree.place(parts, async (temporary) => {
          const target = await tree.existing(partsOf(header.linkname ?? '', unpacking.base))
          await link(target, temporary)
        })
        return true
      default:
        unpacking.onSkipped(header.name, `it is a ${header.type ?? 'thing without a kind'}`)
        return false
    }
  } catch (error) {
    throw localFailure(place, error)
  }
}

/** @throws invalid for a name that leads out of the base */
function partsOf(name: string, base: string): string[] {
  const parts = name.split('/').filter((part) => part !== '' && part !== '.')
  const inner = base === '.' ? parts : parts.slice(1)
  const isOurs = base === '.' || parts[0] === base
  if (isOurs && !name.startsWith('/') && !name.includes('\0') && !inner.includes('..')) return inner
  throw new RackError('invalid', `the archive names "${name}", which lies outside of what was asked for`, {
    hint: 'Nothing was written there. What runs in the process may mean harm.',
  })
}

async function writeFile(
  temporary: string,
  { mode, mtime }: Header,
  content: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW
  await using file = await open(temporary, flags, 0o600)
  for await (const chunk of content) {
    signal.throwIfAborted()
    await file.writeFile(chunk)
  }
  // Who copies becomes the owner: a set-user-id bit of a stranger's file would act in their name.
  await file.chmod((mode ?? 0o644) & 0o777)
  if (mtime) await file.utimes(mtime, mtime)
}

async function makeSymlink(temporary: string, { linkname, mtime }: Header): Promise<void> {
  await symlink(linkname ?? '', temporary)
  if (mtime) await lutimes(temporary, mtime, mtime)
}

interface Tree {
  makeDirectory(parts: string[], header: Header): Promise<void>
  /** Makes something under a name of no meaning beside its place, then gives it its name. */
  place(parts: string[], make: (temporary: string) => Promise<void>): Promise<void>
  /** The path of a plain file that is there already. */
  existing(parts: string[]): Promise<string>
  /** Gives the directories that were made their modes and times. */
  settle(): Promise<void>
}

function createTree({ root }: Pick<Unpacking, 'root'>): Tree {
  /** Looked at once: nothing here turns a directory into something else. */
  const known = new Set<string>()
  const made: { path: string; header: Header }[] = []

  const ensureDirectory = async (path: string): Promise<'made' | 'found'> => {
    if (known.has(path)) return 'found'
    const found = await lookAt(path)
    if (found && !found.isDirectory()) throw standsInTheWay(path, found)
    if (!found) await mkdir(path, { mode: 0o700 })
    known.add(path)
    return found ? 'found' : 'made'
  }
  const ensureParents = async (parts: string[]): Promise<void> => {
    for (let depth = 0; depth < parts.length; depth++) {
      const path = join(root, ...parts.slice(0, depth))
      if ((await ensureDirectory(path)) === 'made') await chmod(path, 0o755)
    }
  }
  return {
    async makeDirectory(parts, header) {
      await ensureParents(parts)
      const path = join(root, ...parts)
      // One that was there keeps what it has.
      if ((await ensureDirectory(path)) === 'made') made.push({ path, header })
    },
    async place(parts, make) {
      await ensureParents(parts)
      const path = join(root, ...parts)
      const found = await lookAt(path)
      if (found?.isDirectory()) throw standsInTheWay(path, found)
      await makeNamed(path, make)
    },
    async existing(parts) {
      await ensureParents(parts)
      const path = join(root, ...parts)
      if ((await lookAt(path))?.isFile()) return path
      throw new RackError('invalid', `the archive links to ${path}, which is no file of it`)
    },
    async settle() {
      // The innermost first: a directory may not be written any more.
      for (const { path, header } of made.toReversed()) {
        await chmod(path, (header.mode ?? 0o755) & 0o777)
        if (header.mtime) await utimes(path, header.mtime, header.mtime)
      }
    },
  }
}

async function makeNamed(path: string, make: (temporary: string) => Promise<void>): Promise<void> {
  const temporary = join(path, '..', `.rack-cp-${randomBytes(8).toString('hex')}`)
  try {
    await make(temporary)
    await rename(temporary, path)
  } finally {
    // It is still there after a failure; and where both are names of one file, the rename has done nothing.
    await rm(temporary, { force: true })
  }
}

async function lookAt(path: string): Promise<Stats | null> {
  try {
    return await lstat(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

function standsInTheWay(path: string, found: Stats): RackError {
  const what = found.isSymbolicLink() ? 'a link' : found.isDirectory() ? 'a directory' : 'no directory'
  return new RackError('conflict', `${path} is ${what}: nothing is written in its place`, {
    hint: 'Copy to another place, or remove it first.',
  })
}
