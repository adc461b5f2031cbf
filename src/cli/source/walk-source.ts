import { lstatSync, readdirSync, type Dirent, type Stats } from 'node:fs'
import { join } from 'node:path'
import { RackError } from '../../domain/error.ts'
import {
  alwaysSent,
  dockerIgnorePaths,
  parseDockerIgnore,
  type DockerIgnore,
} from '../../lib/dockerignore.ts'
import { isMissing } from '../../lib/missing.ts'
import { contentRules, type BoundContent, type ContextRules } from './bound-content.ts'
import { openNamedFiles, type NamedFiles } from './named-files.ts'

/** What a build sees of the source directory, as the compose file says it. */
export interface BuildContext {
  /** Relative to the source directory; `.` is the directory itself. */
  context: string
  /** Relative to the context. */
  dockerfile: string
}

/** A directory, and what of it is sent. */
export interface SourceDirectory {
  directory: string
  contexts: BuildContext[]
  /** Files that become secrets: they travel with the manifest, and never with the source. */
  secrets: string[]
  /** What relative bind mounts take into the release. */
  binds: BoundContent[]
}

export interface SourceEntry {
  /** Relative to the source directory, with `/`. */
  path: string
  type: 'file' | 'directory' | 'symlink'
  stats: Stats
}

/** Hears of what cannot be sent and is left out. */
export type OnSkipped = (path: string, reason: string) => void

/**
 * All that any of the contexts includes, each once, folders before what is in them, by name. A `.env` of the directory
 * itself is left out unless a `.dockerignore` asks for it with `!.env`: it is read as the environment, and a secret
 * has no business in an image. What the compose file names as a secret is left out always.
 */
export function* walkSource(
  { directory: root, contexts, secrets, binds }: SourceDirectory,
  onSkipped: OnSkipped,
): Generator<SourceEntry> {
  const named = openNamedFiles(root)
  const rules = [...contexts.map((context) => readRules(named, context)), ...contentRules(binds)]
  if (rules.length > 0) yield* walkFolder({ root, rules, secrets: new Set(secrets), onSkipped }, '')
}

/** As much as the rack takes of them. */
const largestRulesBytes = 1024 * 1024

interface Walk {
  root: string
  rules: ContextRules[]
  secrets: ReadonlySet<string>
  onSkipped: OnSkipped
}

function* walkFolder(walk: Walk, folder: string): Generator<SourceEntry> {
  for (const entry of readFolder(walk.root, folder)) {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`
    if (entry.name.includes('\uFFFD')) throw unreadable(path, 'its name is not UTF-8')
    if (walk.secrets.has(path)) continue
    const isWanted = walk.rules.some((rules) => rules.includes(path))
    const type = typeOf(entry)
    if (isWanted && type === null) walk.onSkipped(path, 'it is no file, folder or link')
    const stats = isWanted && type !== null ? readStats(walk.root, path) : null
    if (stats && type) yield { path, type, stats }
    if (type === 'directory' && walk.rules.some((rules) => rules.mayIncludeBelow(path))) {
      yield* walkFolder(walk, path)
    }
  }
}

function readFolder(root: string, folder: string): Dirent[] {
  try {
    const entries = readdirSync(join(root, folder), { withFileTypes: true })
    return entries.sort((a, b) => (a.name < b.name ? -1 : 1))
  } catch (error) {
    // It went away since its parent was read; one that is asked for by name is missed by the build.
    if (isMissing(error) && folder !== '') return []
    throw unreadable(folder === '' ? root : folder, error)
  }
}

function readStats(root: string, path: string): Stats | null {
  return lstatSync(join(root, path), { throwIfNoEntry: false }) ?? null
}

function typeOf(entry: Dirent): SourceEntry['type'] | null {
  if (entry.isFile()) return 'file'
  if (entry.isDirectory()) return 'directory'
  return entry.isSymbolicLink() ? 'symlink' : null
}

function readRules(named: NamedFiles, { context, dockerfile }: BuildContext): ContextRules {
  const base = baseOf(context)
  const { text, ignore } = readIgnore(named, base, dockerfile)
  const always = new Set(alwaysSent(dockerfile).map((path) => path.replace(/^\.\//, '')))
  const sendsDotenv = /^\s*!\s*\/?\.env\s*$/m.test(text)
  return {
    includes(path) {
      if (!path.startsWith(base)) return false
      const inner = path.slice(base.length)
      if (path === '.env' && !sendsDotenv) return false
      return always.has(inner) || !ignore.ignores(inner)
    },
    mayIncludeBelow(folder) {
      if (base.startsWith(`${folder}/`)) return true
      if (!folder.startsWith(base)) return false
      const inner = folder.slice(base.length)
      return !ignore.ignoresAllBelow(inner) || [...always].some((path) => path.startsWith(`${inner}/`))
    },
  }
}

/** The rules of a build's `.dockerignore`. @throws too-large; invalid */
export function readIgnoreRules(named: NamedFiles, { context, dockerfile }: BuildContext): DockerIgnore {
  return readIgnore(named, baseOf(context), dockerfile).ignore
}

function baseOf(context: string): string {
  return context === '.' ? '' : `${context.replace(/\/+$/, '')}/`
}

function readIgnore(
  named: NamedFiles,
  base: string,
  dockerfile: string,
): { text: string; ignore: DockerIgnore } {
  for (const path of dockerIgnorePaths(dockerfile)) {
    const text = named.read(base + path, largestRulesBytes)
    if (text === null) continue
    if (text.length <= largestRulesBytes) return parseRules(base + path, text.toString('utf8'))
    throw new RackError('too-large', `${base}${path} is larger than 1 MiB`)
  }
  return { text: '', ignore: parseDockerIgnore('') }
}

function parseRules(path: string, text: string): { text: string; ignore: DockerIgnore } {
  try {
    return { text, ignore: parseDockerIgnore(text) }
  } catch (cause) {
    throw new RackError('invalid', `${path} cannot be read: ${(cause as Error).message}`, { cause })
  }
}

/** @returns the error for a part of the source that a build would miss */
export function unreadable(
  path: string,
  reason: unknown,
  hint = 'Mend it, or name it in .dockerignore.',
): RackError {
  const why = { EACCES: 'permission denied', EPERM: 'permission denied' }[
    (reason as NodeJS.ErrnoException).code ?? ''
  ]
  const message = why ?? (reason instanceof Error ? reason.message : String(reason))
  return new RackError('invalid', `${path} cannot be sent: ${message}`, {
    hint,
    cause: reason,
  })
}
