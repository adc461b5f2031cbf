import { readdir, readlink, realpath, rename, rm, stat, symlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { isThere, programOfProcess } from '../lib/files.ts'
import { isMissing } from '../lib/missing.ts'
import type { DaemonProgram } from './daemon.ts'

/** Versions of a package lie side by side in a folder, and `current` is a link to one of them. */
export interface Versions {
  /** Such as `/usr/lib/rack`. */
  home: string
  /** The folder of the version that this program is of: its number. */
  own: string
}

const currentLink = 'current'
/** A version, and nothing else that lies there. */
const versionPattern = /^\d/

/** Where this program's version lies beside others; null for one that runs from a clone. */
export async function versionsOf({ script }: DaemonProgram): Promise<Versions | null> {
  const root = dirname(dirname(script))
  if (!(await isThere(join(root, 'install')))) return null
  return { home: dirname(root), own: basename(root) }
}

/** Which version the commands of this machine are; null before the first. */
export async function currentVersion({ home }: Versions): Promise<string | null> {
  try {
    return await readlink(join(home, currentLink))
  } catch (error) {
    if (isMissing(error)) return null
    throw error
  }
}

/** Makes this version the one that commands are. */
export async function makeCurrent({ home, own }: Versions): Promise<void> {
  const made = join(home, `.${currentLink}.${process.pid}`)
  await rm(made, { force: true })
  await symlink(own, made)
  await rename(made, join(home, currentLink))
}

/**
 * Removes the versions that nothing runs from, and that no unit starts, but this one and the one before it. Returns what it
 * removed.
 * @param previous the version before this one; null where that is not known, and then it is the newest of the others
 * @param named texts in which a version may be named, such as units
 */
export async function removeOldVersions(
  { home, own }: Versions,
  previous: string | null,
  named: readonly string[],
): Promise<string[]> {
  const used = await foldersInUse(home)
  const others = (await readdir(home)).filter((name) => versionPattern.test(name) && name !== own)
  const before = previous === null || previous === own ? await newestOf(home, others) : previous
  const isUsed = (name: string) => used.has(name) || named.some((text) => text.includes(`${home}/${name}/`))
  const old = others.filter((name) => name !== before && !isUsed(name))
  for (const name of old) await rm(join(home, name), { recursive: true, force: true })
  return old
}

async function newestOf(home: string, names: readonly string[]): Promise<string | null> {
  const times = await Promise.all(names.map(async (name) => (await stat(join(home, name))).mtimeMs))
  return names[times.indexOf(Math.max(...times))] ?? null
}

/** The command line at its place that stays, for what outlives an update, such as a crontab. */
export async function lastingCommand({ script }: DaemonProgram): Promise<string> {
  const own = join(dirname(script), 'rack')
  const lasting = join(dirname(dirname(dirname(script))), currentLink, 'bin/rack')
  const isCurrent = (await isThere(lasting)) && (await realpath(lasting)) === own
  return isCurrent ? lasting : own
}

/** Of the processes that this user may look at, those whose program lies in the folder. */
async function foldersInUse(home: string): Promise<Set<string>> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const programs = await Promise.all(pids.map(programOfProcess))
  const inside = programs.filter((path) => path?.startsWith(`${home}/`))
  return new Set(inside.map((path) => path!.slice(home.length + 1).split('/', 1)[0]!))
}
