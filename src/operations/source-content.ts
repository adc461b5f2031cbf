import { createHash } from 'node:crypto'
import { posix } from 'node:path'
import type { FileOwner, LaidContent } from '../domain/engine.ts'
import { RackError } from '../domain/error.ts'
import type { PlaceKind } from '../domain/manifest.ts'
import { dockerIgnorePaths, parseDockerIgnore, type DockerIgnore } from '../lib/dockerignore.ts'
import { tarHead, tarPadding, type TarHead } from '../lib/tar-blocks.ts'
import { readTar, type TarEntry } from '../lib/tar.ts'
import type { NamedFiles } from '../manifest/files.ts'
import { isWithin, placeOfFolder, takenPaths, type TakenPaths } from '../manifest/taken-paths.ts'

/** What relative bind mounts take of the source of a build; paths are from the source directory. */
export interface SourceContent {
  /** What the source has there. */
  placeOf(path: string): PlaceKind
  /** What is to lie at a path of an image. @throws invalid for what cannot be laid */
  take(source: string, path: string): Pick<LaidContent, 'digest' | 'open'>
}

type Source = () => AsyncIterable<Uint8Array>

interface TreeEntry {
  type: 'file' | 'directory' | 'symlink' | 'link'
  /** Permission bits. */
  mode: number
  /** Where a link leads. */
  link: string
  /** Of a file's content. */
  hash: string
}

type Tree = Map<string, TreeEntry>

/** More than any source has on one way. */
const mostLinks = 40

/** The content of a source of which nothing is taken. */
export const noContent: SourceContent = {
  placeOf: () => 'nothing',
  take: () => {
    throw new RackError('internal', 'a source that nobody has read holds nothing')
  },
}

/** Reads the source once, by which every content that is taken gets its digest. @throws invalid for rules that cannot be read */
export async function readSourceContent(
  source: Source,
  named: Pick<NamedFiles, 'contexts' | 'withheld'>,
  signal: AbortSignal,
): Promise<SourceContent> {
  const { tree, rules } = await readTree(source(), rulePaths(named.contexts), signal)
  const taken = takenPaths(named, (build) => rulesOf(build, rules))
  return {
    placeOf: (path) => placeIn(tree, path, taken),
    take(path, target) {
      const found = contentIn(tree, path, taken)
      return { digest: digestOf(found), open: (owner) => laid(source(), found, { target, owner }) }
    },
  }
}

/** As much as a build takes of one. */
const largestRulesBytes = 1024 * 1024

/** The rules of the builds, and of the directory itself. */
function rulePaths(builds: NamedFiles['contexts']): Set<string> {
  const all = [...builds, { context: '.', dockerfile: 'Dockerfile' }]
  return new Set(
    all.flatMap(({ context, dockerfile }) =>
      dockerIgnorePaths(dockerfile).map((name) => posix.join(context, name)),
    ),
  )
}

async function readTree(
  source: AsyncIterable<Uint8Array>,
  rulesAt: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<{ tree: Tree; rules: Map<string, string> }> {
  const tree: Tree = new Map()
  const rules = new Map<string, string>()
  for await (const { header, content } of readTar(source)) {
    signal.throwIfAborted()
    const { mode, linkname, size } = header
    const path = plainPath(header.name)
    const type = typeOf(header.type)
    const isRules = rulesAt.has(path) && size <= largestRulesBytes
    const hash = createHash('sha256')
    const chunks: Uint8Array[] = []
    for await (const chunk of content) {
      hash.update(chunk)
      if (isRules) chunks.push(chunk)
    }
    if (isRules) rules.set(path, Buffer.concat(chunks).toString('utf8'))
    tree.set(path, { type, mode: mode & 0o7777, link: linkname ?? '', hash: hash.digest('hex') })
  }
  return { tree, rules }
}

function plainPath(name: string): string {
  return posix.normalize(name).replace(/\/$/, '')
}

function typeOf(type: string | null | undefined): TreeEntry['type'] {
  return type === 'directory' || type === 'symlink' || type === 'link' ? type : 'file'
}

function rulesOf(
  { context, dockerfile }: NamedFiles['contexts'][number],
  rules: Map<string, string>,
): DockerIgnore {
  const path = dockerIgnorePaths(dockerfile)
    .map((name) => posix.join(context, name))
    .find((name) => rules.has(name))
  try {
    return parseDockerIgnore(path === undefined ? '' : (rules.get(path) ?? ''))
  } catch (cause) {
    throw new RackError('invalid', `${path} has a pattern that cannot be read`, { cause })
  }
}

function placeIn(tree: Tree, path: string, taken: TakenPaths): PlaceKind {
  if (path === '..' || path.startsWith('../')) return 'nothing'
  const target = behindLinks(tree, path)
  if (target === null) return 'outside'
  const found = tree.get(target)
  if (found && found.type !== 'directory') return taken.isWithheld(target) ? 'withheld' : 'file'
  const below = pathsBelow(tree, target).map((one) => ({
    path: one,
    isFolder: tree.get(one)?.type === 'directory',
  }))
  if (!found && below.length === 0) return 'nothing'
  return placeOfFolder(target, below, taken)
}

/** Where a path is when the links on the way are followed; null when they lead out of the source. */
function behindLinks(tree: Tree, path: string): string | null {
  let rest = path === '.' ? [] : path.split('/')
  let here = '.'
  for (let links = 0; rest.length > 0;) {
    const [step = '', ...more] = rest
    const next = posix.join(here, step)
    if (next === '..' || next.startsWith('../')) return null
    const found = tree.get(next)
    rest = more
    if (found?.type !== 'symlink') here = next
    else if (found.link.startsWith('/') || ++links > mostLinks) return null
    else rest = [...found.link.split('/').filter((part) => part !== '' && part !== '.'), ...more]
  }
  return here
}

function pathsBelow(tree: Tree, folder: string): string[] {
  return [...tree.keys()].filter((path) => path !== folder && isWithin(folder, path))
}

/** What is taken, by path in the source: its path in the content, empty for the content itself. */
interface FoundContent {
  parts: Map<string, { path: string; entry: TreeEntry }>
}

const plainFolder: TreeEntry = { type: 'directory', mode: 0o755, link: '', hash: '' }

function contentIn(tree: Tree, source: string, taken: TakenPaths): FoundContent {
  const target = behindLinks(tree, source) ?? source
  const root = tree.get(target) ?? plainFolder
  const parts = new Map([[target, { path: '', entry: root }]])
  if (root.type !== 'directory') return { parts }
  const from = target === '.' ? 0 : target.length + 1
  for (const path of pathsBelow(tree, target).sort()) {
    const entry = tree.get(path)!
    if (!taken.takes(target, path)) continue
    if (entry.type === 'link')
      throw new RackError('invalid', `${path} is a hard link, which no bind mount can take`, {
        hint: 'Put a copy of the file there.',
      })
    parts.set(path, { path: path.slice(from), entry })
  }
  return { parts }
}

/** Of names, modes, links and contents; not of times, which no process should go by. */
function digestOf({ parts }: FoundContent): string {
  const hash = createHash('sha256')
  for (const { path, entry } of parts.values()) {
    const { type, mode, link, hash: content } = entry
    hash.update(`${JSON.stringify([path, type, mode, link, type === 'file' ? content : ''])}\n`)
  }
  return `sha256:${hash.digest('hex')}`
}

async function* laid(
  source: AsyncIterable<Uint8Array>,
  { parts }: FoundContent,
  { target, owner }: { target: string; owner: FileOwner },
): AsyncGenerator<Uint8Array> {
  const headOf = ({ path, entry }: { path: string; entry: TreeEntry }, size: number): Buffer => {
    const type = entry.type === 'link' ? 'file' : entry.type
    const linkname = type === 'symlink' ? entry.link : ''
    const name = `.${target}${path === '' ? '' : `/${path}`}`
    return tarHead({
      name,
      type,
      mode: entry.mode,
      size,
      modified: new Date(0),
      linkname,
      ...owner,
    } satisfies TarHead)
  }
  const [root] = parts.values()
  // Not every tar names the folders that it has files of.
  if (root?.entry.type === 'directory') yield headOf(root, 0)
  for await (const { header, content } of readTar(source)) {
    const part = parts.get(plainPath(header.name))
    if (!part || (part === root && part.entry.type === 'directory')) continue
    const size = part.entry.type === 'file' ? (header.size ?? 0) : 0
    yield headOf(part, size)
    if (size > 0) yield* withPadding(content, size)
  }
}

async function* withPadding(content: TarEntry['content'], size: number): AsyncGenerator<Uint8Array> {
  yield* content
  yield tarPadding(size)
}
