import { existsSync, readdirSync, realpathSync, statSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import type { PlaceKind } from '../../domain/manifest.ts'
import { isMissing } from '../../lib/missing.ts'
import { isWithin, placeOfFolder, type FolderEntry, type TakenPaths } from '../../manifest/taken-paths.ts'

/** What a relative bind mount names; paths are from the source directory. */
export interface BoundContent {
  path: string
  /** Where that is when links are followed; the path itself where nothing of it is sent. */
  target: string
  holds: PlaceKind
  taken: TakenPaths
}

/** Looks at what bind mounts name. */
export function findBoundContent(directory: string, paths: string[], taken: TakenPaths): BoundContent[] {
  const root = realpathSync(directory)
  return paths.map((path) => ({ path, taken, ...findPlace(root, path, taken) }))
}

type Found = Pick<BoundContent, 'target' | 'holds'>

function findPlace(root: string, path: string, taken: TakenPaths): Found {
  if (path === '..' || path.startsWith('../'))
    return { target: path, holds: existsSync(join(root, path)) ? 'outside' : 'nothing' }
  try {
    const real = realpathSync(join(root, path))
    const target = real === root ? '.' : relative(root, real).split(sep).join('/')
    if (target === '..' || target.startsWith('../')) return { target: path, holds: 'outside' }
    return { target, holds: kindOf(root, target, taken) }
  } catch (error) {
    if (isMissing(error)) return { target: path, holds: 'nothing' }
    if (isDenied(error)) return { target: path, holds: 'unreadable' }
    throw error
  }
}

function kindOf(root: string, target: string, taken: TakenPaths): PlaceKind {
  if (taken.isWithheld(target)) return 'withheld'
  const stats = statSync(join(root, target))
  if (stats.isDirectory()) return placeOfFolder(target, entriesBelow(root, target, target, taken), taken)
  return stats.isFile() ? 'file' : 'special'
}

/** Goes into no folder of which nothing is taken: it may be large. */
function* entriesBelow(
  root: string,
  folder: string,
  inner: string,
  taken: TakenPaths,
): Generator<FolderEntry> {
  for (const entry of readdirSync(join(root, inner), { withFileTypes: true })) {
    const path = inner === '.' ? entry.name : `${inner}/${entry.name}`
    const isFolder = entry.isDirectory()
    yield { path, isFolder }
    if (isFolder && taken.mayTakeBelow(folder, path)) yield* entriesBelow(root, folder, path, taken)
  }
}

function isDenied(error: unknown): boolean {
  return ['EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')
}

/** What one context or bind mount includes; paths are relative to the source directory. */
export interface ContextRules {
  includes(path: string): boolean
  mayIncludeBelow(folder: string): boolean
}

/** What of the source is sent because bind mounts take it, with the rules that the rack needs to take the same. */
export function contentRules(binds: BoundContent[]): ContextRules[] {
  if (binds.length === 0) return []
  const ignoreFile: ContextRules = {
    includes: (path) => path === '.dockerignore',
    mayIncludeBelow: () => false,
  }
  const sent = binds.filter(({ holds }) => holds === 'file' || holds === 'folder')
  return [ignoreFile, ...sent.map(rulesOf)]
}

function rulesOf({ path: named, target, holds, taken }: BoundContent): ContextRules {
  // A link on the way is sent too, so that the rack finds the same.
  const leadsThere = (path: string) => isWithin(path, named) || isWithin(path, target)
  if (holds === 'file') return { includes: leadsThere, mayIncludeBelow: leadsThere }
  const isBelow = (path: string) => path !== target && isWithin(target, path)
  return {
    includes: (path) => leadsThere(path) || (isBelow(path) && taken.takes(target, path)),
    mayIncludeBelow: (folder) =>
      leadsThere(folder) || (isBelow(folder) && taken.mayTakeBelow(target, folder)),
  }
}
