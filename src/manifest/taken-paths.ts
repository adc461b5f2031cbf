import type { DockerIgnore } from '../lib/dockerignore.ts'
import type { NamedFiles } from './files.ts'

type Build = NamedFiles['contexts'][number]

/** What of a folder that a bind mount names is taken into the release; all paths are from the source directory. */
export interface TakenPaths {
  takes(folder: string, path: string): boolean
  /** False where nothing below a directory is taken, so that nobody need look. */
  mayTakeBelow(folder: string, directory: string): boolean
  /** Whether a file holds variables or a secret, which no image may have. */
  isWithheld(path: string): boolean
}

/**
 * The rules of `.dockerignore` hold for folders: those of the source directory, of the build contexts below a folder, and
 * of the nearest one around it, in place of what lies further out. Files of variables and secrets, `.git` and `.rack`
 * are never taken.
 */
export function takenPaths(
  { contexts, withheld }: Pick<NamedFiles, 'contexts' | 'withheld'>,
  rulesOf: (build: Build) => DockerIgnore,
): TakenPaths {
  const builds = Map.groupBy(contexts, ({ context }) => context)
  if (!builds.has('.')) builds.set('.', [{ context: '.', dockerfile: 'Dockerfile' }])
  // Read when they are asked for: a file that takes no folder needs none of them.
  let known: ContextRules[] | null = null
  const holding = (folder: string): ContextRules[] => {
    const all = (known ??= [...builds].map(([context, own]) => ({ context, ignores: own.map(rulesOf) })))
    const around = all.filter(({ context }) => isWithin(context, folder))
    const [nearest] = around.sort((a, b) => depthOf(b.context) - depthOf(a.context))
    const below = all.filter(({ context }) => context !== folder && isWithin(folder, context))
    return nearest ? [nearest, ...below] : below
  }
  const isLeftOut = (folder: string, path: string, by: (one: DockerIgnore, inner: string) => boolean) =>
    holding(folder).some(({ context, ignores }) => {
      if (path === context || !isWithin(context, path)) return false
      const inner = context === '.' ? path : path.slice(context.length + 1)
      return ignores.every((one) => by(one, inner))
    })
  const isWithheld = (path: string) =>
    withheld.some((one) => isWithin(one, path)) || hasNameOf(path, variableFiles, -1)
  return {
    isWithheld,
    takes: (folder, path) =>
      !isWithheld(path) &&
      !hasNameOf(path, ownFolders) &&
      !isLeftOut(folder, path, (one, inner) => one.ignores(inner)),
    mayTakeBelow: (folder, directory) =>
      !hasNameOf(directory, ownFolders) &&
      !isLeftOut(folder, directory, (one, inner) => one.ignoresAllBelow(inner)),
  }
}

interface ContextRules {
  context: string
  /** Of each build there is; what one of them sends is there to be taken. */
  ignores: DockerIgnore[]
}

const variableFiles = new Set(['.env'])
const ownFolders = new Set(['.git', '.rack'])

/** Whether a step of a path has one of the names; from the given step on. */
function hasNameOf(path: string, names: ReadonlySet<string>, from = 0): boolean {
  return path
    .split('/')
    .slice(from)
    .some((part) => names.has(part))
}

/** Whether a path is a folder or lies in it. */
export function isWithin(folder: string, path: string): boolean {
  return folder === '.' || path === folder || path.startsWith(`${folder}/`)
}

function depthOf(path: string): number {
  return path === '.' ? 0 : path.split('/').length
}

/** Something that lies in a folder. */
export interface FolderEntry {
  path: string
  isFolder: boolean
}

/** With these a version control keeps a folder that is empty. */
const placeholders = new Set(['.gitkeep', '.keep', '.gitignore'])

/** What a folder is for a bind mount; `entries` is all that is below it, but for what nobody need look at. */
export function placeOfFolder(
  folder: string,
  entries: Iterable<FolderEntry>,
  taken: TakenPaths,
): 'folder' | 'empty' | 'ignored' {
  let hasMore = false
  for (const { path, isFolder } of entries) {
    if (hasNameOf(path, placeholders, -1) || hasNameOf(path, ownFolders)) continue
    if (isFolder) hasMore ||= !taken.mayTakeBelow(folder, path)
    else if (taken.takes(folder, path)) return 'folder'
    else hasMore ||= !taken.isWithheld(path)
  }
  return hasMore ? 'ignored' : 'empty'
}
