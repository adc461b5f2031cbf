import { dockerFeatures } from '../../domain/docker-features.ts'
import { readdir, realpath } from 'node:fs/promises'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { RackError } from '../../domain/error.ts'
import { isFetched, type GitContext } from '../../domain/git-context.ts'
import type { ManifestSource, Problem } from '../../domain/manifest.ts'
import { anyPolicy, type Policy } from '../../domain/policy.ts'
import { isMissing } from '../../lib/missing.ts'
import { filesOf, findComposeFile, type NamedFiles as FilesOfManifest } from '../../manifest/files.ts'
import { takenPaths } from '../../manifest/taken-paths.ts'
import { findBoundContent } from './bound-content.ts'
import { openNamedFiles, unusableDirectory, type NamedFiles } from './named-files.ts'
import { readIgnoreRules, type BuildContext, type SourceDirectory } from './walk-source.ts'

/** The texts that the manifest of a directory is read from, and what it builds. */
export interface LocalManifest extends SourceDirectory {
  source: ManifestSource
  /** What is to be fetched before it is sent, and the builds of it. */
  repositories: GitContext[]
  fetchedBuilds: BuildContext[]
}

/** As much as the rack takes of one text. */
const largestTextBytes = 1024 * 1024
/** More than a config or a secret may have: the reader says so. */
const largestContentBytes = 512 * 1024

/**
 * Reads the compose files of a directory and what they name; `files` are the person's choice, else the one with a
 * usual name is taken.
 * @param others texts that stand for those of files, by path
 * @throws manifest-missing; invalid for files that cannot be read or lie outside
 */
export async function readLocalManifest(
  directory: string,
  files: string[],
  others: ReadonlyMap<string, string> = new Map(),
): Promise<LocalManifest> {
  const paths = files.length > 0 ? files.map((file) => inside(directory, file)) : [await usualFile(directory)]
  const named = withTexts(openNamedFiles(directory), others)
  const texts = paths.map((path) => ({ path, text: readText(named, path) }))
  // As Compose does: beside the first file.
  const dotenvPath = join(dirname(paths[0] ?? ''), '.env')
  const dotenv = named.read(dotenvPath, largestTextBytes)?.toString('utf8') ?? null
  const source: ManifestSource = { files: texts, dotenv, texts: {}, contents: {} }
  const further = readFurtherFiles(named, source)
  const { repositories } = further
  const contexts = further.contexts.filter(({ context }) => !isFetched(context))
  const fetchedBuilds = further.contexts.filter(({ context }) => isFetched(context))
  const secrets = await withTargets(directory, further.secrets)
  const withheld = await withTargets(directory, further.withheld)
  const taken = takenPaths({ contexts, withheld }, (build) => readIgnoreRules(named, build))
  const binds = findBoundContent(directory, further.binds, taken)
  source.places = Object.fromEntries(binds.map(({ path, holds }) => [path, { holds }]))
  readContents(
    named,
    source,
    binds.filter(({ holds }) => holds === 'withheld').flatMap(({ path }) => named.filesAt(path)),
  )
  // That of the directory itself is left out of builds by its name, unless `.dockerignore` asks for it.
  const own = dotenv !== null && dotenvPath !== '.env' ? [dotenvPath] : []
  return { directory, source, contexts, repositories, fetchedBuilds, secrets: [...secrets, ...own], binds }
}

function withTexts(named: NamedFiles, others: ReadonlyMap<string, string>): NamedFiles {
  return {
    ...named,
    read(path, bytes) {
      const text = others.get(path)
      return text === undefined ? named.read(path, bytes) : Buffer.from(text)
    },
  }
}

/** Reads into `source` what its files name, and what those name in turn. */
function readFurtherFiles(
  named: NamedFiles,
  source: ManifestSource,
): Pick<FilesOfManifest, 'contexts' | 'repositories' | 'secrets' | 'withheld' | 'binds'> {
  const asked = new Set<string>()
  for (;;) {
    const { texts, contents, ...others } = filesOf(source, {})
    const unread = texts.filter((path) => !asked.has(path))
    for (const path of unread) {
      asked.add(path)
      // One that is missing is a problem of the manifest, which says at which line.
      const text = named.read(path, largestTextBytes)
      if (text !== null) source.texts[path] = checkLength(path, text).toString('utf8')
    }
    if (unread.length > 0) continue
    readContents(
      named,
      source,
      contents.flatMap((path) => named.filesAt(path)),
    )
    return others
  }
}

function readContents(named: NamedFiles, source: ManifestSource, paths: string[]): void {
  for (const path of paths) {
    const content = named.read(path, largestContentBytes)
    if (content !== null) source.contents[path] = content.toString('base64')
  }
}

/** A secret may be a link to another file of the source, which is secret then too. */
async function withTargets(directory: string, secrets: string[]): Promise<string[]> {
  const targets = await Promise.all(secrets.map(async (path) => await behindLinks(directory, path)))
  return [...new Set([...secrets, ...targets])]
}

/** Where a file is by itself. */
async function behindLinks(directory: string, path: string): Promise<string> {
  try {
    const [root, file] = await Promise.all([realpath(directory), realpath(join(directory, path))])
    return relative(root, file)
  } catch (cause) {
    if (isMissing(cause)) return path
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
 * told with other errors, for which the rack is asked; alone it is left to the rack, which is then asked nothing.
 * @throws manifest-invalid
 */
export async function checkLocalManifest(
  manifest: LocalManifest,
  readPolicy: () => Promise<Policy>,
): Promise<Problem[]> {
  const problems = await findLocalProblems(manifest, anyPolicy)
  if (!problems.some(({ severity }) => severity === 'error')) return problems
  const all = await findLocalProblems(manifest, await readPolicy())
  const { countProblems, formatProblems } = await import('../../manifest/report.ts')
  const report = `the compose file has ${countProblems(all)}\n${formatProblems(all, manifest.source)}`
  throw new RackError('manifest-invalid', report, {
    hint: 'Mend the file, then look again: rack manifest check',
    details: all,
  })
}

/** The app's environment is the rack's to know: what a variable of it may decide is left out. */
async function findLocalProblems({ source }: LocalManifest, policy: Policy): Promise<Problem[]> {
  const { readManifest } = await import('../../manifest/read-manifest.ts')
  const { problems } = readManifest(source, {
    environment: {},
    features: dockerFeatures,
    policy,
    lenientVariables: true,
  })
  const undecided = problems.filter(({ kind }) => kind === 'variable')
  // A file of variables alone has no path.
  const paths = new Set(undecided.map(({ path }) => path).filter((path) => path !== ''))
  return problems.filter(({ kind, path }) => kind !== 'variable' && !paths.has(path))
}

async function usualFile(directory: string): Promise<string> {
  const names = await readdir(directory).catch((cause: unknown) => {
    throw unusableDirectory(directory, cause)
  })
  const found = findComposeFile(names)
  if (found !== null) return found
  throw new RackError('manifest-missing', `${directory} has no compose file (such as docker-compose.yml)`, {
    hint: 'Go to the directory that has one, or name it: rack deploy DIRECTORY or -f FILE. rack manifest init starts one, from a Procfile or a Dockerfile.',
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

function readText(named: NamedFiles, path: string): string {
  const text = named.read(path, largestTextBytes)
  if (text === null) throw new RackError('manifest-missing', `${path} is not there`)
  return text.toString('utf8')
}
