import type { FileMount } from '../../../domain/container.ts'
import type { ManifestSource } from '../../../domain/manifest.ts'
import type { Problems } from '../../problems.ts'
import type { Lookup } from '../../syntax/interpolate.ts'
import { childOf, shownPart, type Entry, type MapNode, type Node } from '../../syntax/tree.ts'
import { fromAbove, baseOf, joinInside } from '../../paths.ts'
import { entriesOf, textOf } from '../values/values.ts'

export type FileKind = FileMount['kind']

/** An entry of the top-level `configs:` or `secrets:`. */
export interface DeclaredFile {
  kind: FileKind
  name: string
  entry: Entry
  /** What `contentOf` found, once it has looked. */
  found?: FileContent | null
}

/** What a file holds, in base64, and where that comes from. */
export type FileContent = Pick<FileMount, 'content' | 'origin'>

/** By name. */
export type DeclaredFiles = Map<string, DeclaredFile>

/** What contents come from. */
export interface ContentContext {
  source: ManifestSource
  lookup: Lookup
  /** Lets a variable without a value pass with a warning: it may still come. */
  isLenient: boolean
  problems: Problems
}

const largestBytes = 500 * 1024
const fileName = /^[A-Za-z0-9_]([A-Za-z0-9_.-]{0,252})$/

/** The entries of `configs:` or `secrets:` at the top of the file. */
export function declaredFiles(root: MapNode, kind: FileKind, problems: Problems): DeclaredFiles {
  const files: DeclaredFiles = new Map()
  for (const [name, entry] of entriesOf(childOf(root, `${kind}s`), problems)) {
    if (!fileName.test(name))
      problems.error(
        entry.key,
        `"${name}" cannot be the name of a ${kind}`,
        'use letters, digits, dots, dashes and underscores',
      )
    files.set(name, { kind, name, entry })
  }
  return files
}

/** The content of a declared file, or null after saying why there is none; read once however often it is used. */
export function contentOf(declared: DeclaredFile, context: ContentContext): FileContent | null {
  if (declared.found === undefined) declared.found = findContent(declared, context)
  return declared.found
}

/**
 * The files of a folder that is declared in place of a file, each as if it were declared itself; none where it is a file.
 * `inner` is the path below the folder.
 */
export function declaredBelow(
  declared: DeclaredFile,
  { source, problems }: ContentContext,
): { inner: string; file: DeclaredFile }[] {
  const { kind, name, entry } = declared
  const node = childOf(entry.value, 'file')
  const folder =
    node && textOf(node, problems) ? joinInside(baseOf(node), textOf(node, problems) ?? '') : null
  if (!node || folder === null || folder === '.' || Object.hasOwn(source.contents, folder)) return []
  const paths = Object.keys(source.contents).filter((path) => path.startsWith(`${folder}/`))
  return paths.sort().flatMap((path) => {
    const inner = path.slice(folder.length + 1)
    const content = source.contents[path] ?? ''
    const file = { kind, name: `${name}.${inner.replaceAll(/[^A-Za-z0-9_.-]/g, '.')}`, entry }
    if (isTooLarge(file, content, node, problems)) return []
    return [{ inner, file: { ...file, found: { content, origin: { file: path } } } }]
  })
}

function findContent(declared: DeclaredFile, context: ContentContext): FileContent | null {
  const { kind, name, entry } = declared
  const { problems } = context
  const origins = kind === 'config' ? ['file', 'environment', 'content'] : ['file', 'environment']
  const [origin, second] = origins.filter((one) => childOf(entry.value, one) !== undefined)
  const node = childOf(entry.value, origin ?? '')
  if (origin === undefined || node === undefined) {
    // What is refused there has been said.
    if (!problems.hasErrorBelow(entry.key.path))
      problems.error(entry.key, `the ${kind} "${name}" has no content`, adviceFor(origins))
    return null
  }
  if (second !== undefined) {
    problems.error(entry.key, `the ${kind} "${name}" has both \`${origin}\` and \`${second}\``, 'keep one')
    return null
  }
  const found = read(origin, node, declared, context)
  return found === null || isTooLarge(declared, found.content, node, problems) ? null : found
}

function isTooLarge(
  { kind, name }: Pick<DeclaredFile, 'kind' | 'name'>,
  content: string,
  at: Node,
  problems: Problems,
): boolean {
  if (bytesOfBase64(content) <= largestBytes) return false
  problems.error(
    at,
    `the ${kind} "${name}" is larger than ${largestBytes / 1024} KiB`,
    'COPY it in the Dockerfile, or put it on a volume',
  )
  return true
}

function adviceFor(origins: string[]): string {
  return `write one of: ${origins.map((one) => `\`${one}:\``).join(', ')}`
}

function read(
  origin: string,
  node: Node,
  declared: DeclaredFile,
  context: ContentContext,
): FileContent | null {
  if (origin === 'file') return readFile(node, declared, context)
  const text = textOf(node, context.problems)
  if (text === null) {
    context.problems.error(node, `\`${origin}\` of the ${declared.kind} "${declared.name}" says nothing`)
    return null
  }
  if (origin === 'content') return { content: encode(text), origin }
  const content = readVariable(text, node, declared, context)
  return content === null ? null : { content, origin: { environment: text } }
}

function readFile(
  node: Node,
  { kind, name }: DeclaredFile,
  { source, problems }: ContentContext,
): FileContent | null {
  const path = sourcePathOf(node, problems)
  if (path === null) return null
  if (Object.hasOwn(source.contents, path))
    return { content: source.contents[path] ?? '', origin: { file: path } }
  problems.error(
    node,
    `the file ${shownPart(node, path)} of the ${kind} "${name}" does not exist`,
    `create it, or take the content from a variable: \`environment: NAME\``,
  )
  return null
}

/** The path of a file relative to the source directory, or null after saying why it cannot be read. */
export function sourcePathOf(node: Node, problems: Problems): string | null {
  const text = textOf(node, problems)
  const path = text ? joinInside(baseOf(node), text) : null
  if (!text) problems.error(node, 'a file needs a path')
  else if (path === null || path === '.')
    problems.error(
      node,
      'the file lies outside of the source directory',
      `use a path below the compose file, or take the content from a variable: \`environment: NAME\`${fromAbove(node, text)}`,
    )
  return path === '.' ? null : path
}

function readVariable(
  variable: string,
  node: Node,
  { kind, name }: DeclaredFile,
  { lookup, isLenient, problems }: ContentContext,
): string | null {
  const value = lookup(variable)
  if (value !== undefined) return encode(value)
  problems.variable(
    node,
    isLenient ? 'warning' : 'error',
    `the ${kind} "${name}" is the variable ${shownPart(node, variable)}, which has no value`,
    `rack env set ${shownPart(node, variable) === JSON.stringify(variable) ? variable : 'NAME'}=…`,
  )
  return isLenient ? '' : null
}

/** A text in base64. */
export function encode(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64')
}

/** The size of what base64 text stands for. */
export function bytesOfBase64(content: string): number {
  const padding = /={0,2}$/.exec(content)?.[0].length ?? 0
  return (content.length / 4) * 3 - padding
}
