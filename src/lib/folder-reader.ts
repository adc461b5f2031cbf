import { closeSync, constants, fstatSync, openSync, readlinkSync, readSync, realpathSync } from 'node:fs'
import { join, sep } from 'node:path'
import { isMissing } from './missing.ts'

/** Opens files of one folder that may be somebody else's, and nothing but files of it. Paths are relative to it. */
export interface FolderReader {
  /** Follows links that stay in the folder. Null when nothing is there. @throws for what is no file, or leads out */
  open(path: string): number | null
  /** Follows no link. Null when nothing is there. @throws for what is no file, or became a link */
  openItself(path: string): number | null
  /** A file, or of a longer one the beginning with a byte more than `bytes`; null when nothing is there. @throws as `open` */
  read(path: string, bytes: number): Buffer | null
}

/** Not waiting for a writer, should it be a pipe, and not becoming its terminal, should it be one. */
const reading = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY

/**
 * What is looked at is the file that is open, not its name, which may mean another one a moment later.
 * @throws when the folder itself cannot be found
 */
export function createFolderReader(directory: string): FolderReader {
  const root = realpathSync.native(directory)
  const open = (path: string): number | null => {
    const place = ifThere(() => realpathSync.native(join(root, path)))
    // Opening alone does something to some devices: what lies outside is not even opened.
    if (place !== null && !isWithin(root, place)) throw new Error(leadsOut)
    return place === null ? null : openFile(place, (opened) => isWithin(root, opened), leadsOut)
  }
  return {
    open,
    openItself(path) {
      const place = join(root, path)
      return openFile(place, (opened) => opened === place, 'it is a link now, or lies behind one')
    },
    read(path, bytes) {
      const file = open(path)
      return file === null ? null : readStart(file, bytes)
    },
  }
}

const leadsOut = 'it is a link that leads out of the directory'

function openFile(place: string, isAllowed: (opened: string) => boolean, refusal: string): number | null {
  const file = ifThere(() => openSync(place, reading | constants.O_NOFOLLOW))
  if (file === null) return null
  try {
    if (!fstatSync(file).isFile()) throw new Error('it is no file')
    if (!isAllowed(placeOf(file, place))) throw new Error(refusal)
    return file
  } catch (error) {
    closeSync(file)
    throw error
  }
}

/** Where an open file lies. Only Linux says so; elsewhere its name is asked again. */
function placeOf(file: number, name: string): string {
  return ifThere(() => readlinkSync(`/proc/self/fd/${file}`)) ?? realpathSync.native(name)
}

function isWithin(root: string, place: string): boolean {
  return place.startsWith(root.endsWith(sep) ? root : root + sep)
}

function readStart(file: number, bytes: number): Buffer {
  try {
    const buffer = Buffer.alloc(Math.min(fstatSync(file).size, bytes) + 1)
    let length = 0
    for (;;) {
      const read = readSync(file, buffer, length, buffer.length - length, null)
      length += read
      if (read === 0 || length === buffer.length) return buffer.subarray(0, length)
    }
  } finally {
    closeSync(file)
  }
}

function ifThere<T>(act: () => T): T | null {
  try {
    return act()
  } catch (error) {
    if (isMissing(error)) return null
    // A socket cannot be opened.
    if ((error as NodeJS.ErrnoException).code === 'ENXIO') throw new Error('it is no file', { cause: error })
    throw error
  }
}
