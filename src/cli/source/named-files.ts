import { readdirSync, realpathSync, statSync } from 'node:fs'
import { join, sep } from 'node:path'
import { RackError } from '../../domain/error.ts'
import { largestManifestBytes } from '../../domain/manifest.ts'
import { createFolderReader, type FolderReader } from '../../lib/folder-reader.ts'

/** Reads what a directory names: its compose file, what that one names in turn, its rules of ignoring. */
export interface NamedFiles {
  /**
   * A file, or of a longer one the beginning with a byte more than `bytes`; null when there is none.
   * @throws invalid for what is no file, or lies outside; too-large for what comes to too much together
   */
  read(path: string, bytes: number): Buffer | null
  /** The files of a folder and of those below it; the path itself when it is none. @throws too-large for thousands of them */
  filesAt(path: string): string[]
}

/** The directory may be somebody else's: no link leads out of it. @throws usage when it is not there */
export function openNamedFiles(directory: string): NamedFiles {
  const folder = openFolder(directory)
  let together = 0
  return {
    filesAt: (path) => (isFolder(directory, path) ? filesBelow(directory, path) : [path]),
    read(path, bytes) {
      const content = readFrom(folder, path, bytes)
      together += content?.length ?? 0
      if (together <= largestManifestBytes) return content
      throw new RackError(
        'too-large',
        `with ${path} the files of the manifest are larger than ${shownMost}`,
        {
          hint: 'The compose file names them: COPY large ones in the Dockerfile.',
        },
      )
    },
  }
}

/** One that a link leads to from outside of the directory is none: reading it says so. */
function isFolder(directory: string, path: string): boolean {
  if (!(statSync(join(directory, path), { throwIfNoEntry: false })?.isDirectory() ?? false)) return false
  return realpathSync(join(directory, path)).startsWith(realpathSync(directory) + sep)
}

/** More than any process has as configs and secrets. */
const mostFiles = 1000

function filesBelow(directory: string, folder: string): string[] {
  const found = readdirSync(join(directory, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`
    return entry.isDirectory() ? filesBelow(directory, path) : [path]
  })
  if (found.length <= mostFiles) return found
  throw new RackError('too-large', `${folder} has more than ${mostFiles} files`, {
    hint: 'The compose file names it as a config or a secret: COPY it in the Dockerfile.',
  })
}

const shownMost = `${largestManifestBytes / 2 ** 20} MiB together`

function readFrom(folder: FolderReader, path: string, bytes: number): Buffer | null {
  try {
    return folder.read(path, bytes)
  } catch (cause) {
    throw new RackError('invalid', `${path} cannot be read: ${(cause as Error).message}`, {
      hint: 'What a compose file names is a file of its directory: put a copy of it there, in place of a link.',
      cause,
    })
  }
}

function openFolder(directory: string): FolderReader {
  try {
    return createFolderReader(directory)
  } catch (cause) {
    throw unusableDirectory(directory, cause)
  }
}

/** What is said of a directory that is none, or is not there. */
export function unusableDirectory(directory: string, cause: unknown): RackError {
  const reasons: Record<string, string> = {
    ENOENT: 'there is no such directory',
    ENOTDIR: 'it is no directory',
  }
  const { code = '', message } = cause as NodeJS.ErrnoException
  return new RackError('usage', `${directory} cannot be read: ${reasons[code] ?? message}`, {
    hint: 'rack deploy [DIRECTORY]',
    cause,
  })
}
