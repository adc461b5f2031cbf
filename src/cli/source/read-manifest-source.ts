import { open, readdir, readFile, realpath } from 'node:fs/promises'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { RackError } from '../../domain/error.ts'
import type { ManifestSource, Problem } from '../../domain/manifest.ts'
import type { Policy } from '../../domain/policy.ts'
import { filesOf, findComposeFile } from '../../manifest/files.ts'
import type { SourceDirectory } from './walk-source.ts'

/** The texts that the manifest of a directory is read from, and what it builds. */
export interface LocalManifest extends SourceDirectory {
  source: ManifestSource
}

/** As much as the rack takes of one text. */
const largestTextBytes = 1024 * 1024
/** More than a config or a secret may have: the reader says so. */
const largestContentBytes = 512 * 1024

/**
 * Reads the compose files of a directory and what they name; `files` are the person's choice, else the one with a
 * usual name is taken.
 * @throws manifest-missing; invalid for files that cannot be read or lie outside
 */
export async function readLocalManifest(directory: string, files: string[]): Promise<LocalManifest> {
  const paths = files.length > 0 ? files.map((file) => inside(directory, file)) : [await usualFile(directory)]
  const texts = await Promise.all(
    paths.map(async (path) => ({ path, text: await readText(directory, path) })),
  )
  // As Compose does: beside the first file.
  const dotenvPath = join(dirname(paths[0] ?? ''), '.env')
  const dotenv = await readIfThere(directory, dotenvPath)
  const source: ManifestSource = { files: texts, dotenv, texts: {}, contents: {} }
  const { contexts, secrets } = await readFurtherFiles(directory, source)
  // That of the directory itself is left out of builds by its name, unless `.dockerignore` asks for it.
  const own = dotenv !== null && dotenvPath !== '.env' ? [dotenvPath] : []
  return { directory, source, contexts, secrets: [...secrets, ...own] }
}

/** Reads into `source` what its files name, and what those name in turn. */
async function readFurtherFiles(
  directory: string,
  source: ManifestSource,
): Promise<Pick<SourceDirectory, 'contexts' | 'secrets'>> {
  const asked = new Set<string>()
  for (;;) {
    const { texts, contents, secrets, contexts } = filesOf(source, {})
    const unread = texts.filter((path) => !asked.has(path))
    for (const path of unread) {
      asked.add(path)
      // One that is missing is a problem of the manifest, which says at which line.
      const text = await readStart(directory, path, largestTextBytes)
      if (text !== null) source.texts[path] = checkLength(path, text).toString('utf8')
    }
    if (unread.length > 0) continue
    for (const path of contents) {
      const content = await readStart(directory, path, largestContentBytes)
      if (content !== null) source.contents[path] = content.toString('base64')
    }
    const targets = await Promise.all(secrets.map(async (path) => await behindLinks(directory, path)))
    return { contexts, secrets: [...new Set([...secrets, ...targets])] }
  }
}

/** Where a file is by itself: a secret may be a link to another file of the source. */
async function behindLinks(directory: string, path: string): Promise<string> {
  try {
    const [root, file] = await Promise.all([realpath(directory), realpath(join(directory, path))])
    return relative(root, file)
  } catch (cause) {
    if (['ENOENT', 'ENOTDIR'].includes((cause as NodeJS.ErrnoException).code ?? '')) return path
    throw new RackError('invalid', `${path} cannot be read: ${(cause as Error).message}`, { cause })
  }
}

/** Half a file of variables would be read as if it were whole. */
function checkLength(path: string, text: Buffer): Buffer {
  if (text.length <= largestTextBytes) return text
  throw new RackError('too-large', `${path} is larger than 1 MiB`, {
    hint: 'The compose file names it: is it the right one?',
  })
}

/**
 * Refuses a manifest with errors before anything is sent; returns its warnings. What the policy of the rack refuses is
 * told with other errors; alone it is left to the rack.
 * @throws manifest-invalid
 */
export async function checkLocalManifest({ source }: LocalManifest, policy: Policy): Promise<Problem[]> {
  const { readManifest } = await import('../../manifest/read-manifest.ts')
  // The app's environment is the rack's to know: variables may come from there.
  const reading = readManifest(source, { environment: {}, policy, lenientVariables: true })
  const undecided = reading.problems.filter(({ kind }) => kind === 'variable')
  // A file of variables alone has no path.
  const paths = new Set(undecided.map(({ path }) => path).filter((path) => path !== ''))
  const problems = reading.problems.filter(({ kind, path }) => kind !== 'variable' && !paths.has(path))
  if (!problems.some(({ severity, kind }) => severity === 'error' && kind !== 'policy')) return problems
  const { countProblems, formatProblems } = await import('../../manifest/report.ts')
  const report = `the compose file has ${countProblems(problems)}\n${formatProblems(problems, source)}`
  throw new RackError('manifest-invalid', report, {
    hint: 'Mend the file, then look again: rack manifest check',
    details: problems,
  })
}

async function usualFile(directory: string): Promise<string> {
  const names = await readdir(directory).catch((cause: NodeJS.ErrnoException) => {
    const reasons: Record<string, string> = {
      ENOENT: 'there is no such directory',
      ENOTDIR: 'it is no directory',
    }
    const reason = reasons[cause.code ?? ''] ?? cause.message
    throw new RackError('usage', `${directory} cannot be read: ${reason}`, {
      hint: 'rack deploy [DIRECTORY]',
      cause,
    })
  })
  const found = findComposeFile(names)
  if (found !== null) return found
  throw new RackError('manifest-missing', `${directory} has no compose file (such as docker-compose.yml)`, {
    hint: 'Go to the directory that has one, or name it: rack deploy DIRECTORY or -f FILE',
  })
}

/** A path relative to the source directory, which it may not leave. */
function inside(directory: string, file: string): string {
  const path = relative(directory, resolve(directory, file))
  if (path !== '' && path !== '..' && !path.startsWith(`..${sep}`) && !path.startsWith(sep)) return path
  throw new RackError('usage', `${file} is not inside ${directory}`, {
    hint: 'Compose files lie in the source directory; -f takes paths relative to it.',
  })
}

async function readText(directory: string, path: string): Promise<string> {
  try {
    return await readFile(join(directory, path), 'utf8')
  } catch (cause) {
    const isMissing = (cause as NodeJS.ErrnoException).code === 'ENOENT'
    const reason = isMissing ? 'is not there' : `cannot be read: ${(cause as Error).message}`
    throw new RackError(isMissing ? 'manifest-missing' : 'invalid', `${path} ${reason}`, { cause })
  }
}

async function readIfThere(directory: string, path: string): Promise<string | null> {
  return (await readStart(directory, path, largestTextBytes))?.toString('utf8') ?? null
}

/** A file, or of a longer one the beginning with a byte more than `bytes`; null when there is none. */
async function readStart(directory: string, path: string, bytes: number): Promise<Buffer | null> {
  try {
    await using file = await open(join(directory, path))
    const { buffer, bytesRead } = await file.read(Buffer.alloc(bytes + 1))
    return buffer.subarray(0, bytesRead)
  } catch (cause) {
    if (['ENOENT', 'ENOTDIR'].includes((cause as NodeJS.ErrnoException).code ?? '')) return null
    throw new RackError('invalid', `${path} cannot be read: ${(cause as Error).message}`, { cause })
  }
}
