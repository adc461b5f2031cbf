import { dirname } from 'node:path'

/** A certificate that a running HAProxy shows for a host: a line of its list. */
export interface ListEntry {
  path: string
  line: number
  host: string
}

/** What a running HAProxy shows. */
export interface Showing {
  entries: ListEntry[]
  /** Files that it has in memory, whatever for. */
  loaded: string[]
  /** Of which a change was begun and not made, as when a daemon was killed: HAProxy refuses every other one until then. */
  begun: string | null
}

/** Commands that bring what HAProxy shows to what is wanted: what is new comes before what is old leaves. */
export interface ShownChanges {
  /** Files that HAProxy does not show yet; of a new one it does not even know the name. */
  load: { path: string; isNew: boolean }[]
  /** Lines for its list. */
  add: string[]
  /** Entries to take out, by file and line. */
  remove: string[]
  /** Files of the shown ones' directory that nothing names any more: others are the entrance's, and the ways'. */
  unload: string[]
}

/**
 * @param defaultPath is never unloaded; all that is shown lies beside it
 */
export function planShownChanges(
  wanted: ReadonlyMap<string, string>,
  { entries, loaded }: Omit<Showing, 'begun'>,
  defaultPath: string,
): ShownChanges {
  const known = new Set(entries.map(({ path, host }) => `${path} ${host}`))
  const wantedLines = new Set(Array.from(wanted, ([host, path]) => `${path} ${host}`))
  const add = [...wantedLines].filter((line) => !known.has(line))
  const files = new Set(wanted.values())
  const folder = dirname(defaultPath)
  const isUnused = (path: string) => dirname(path) === folder && path !== defaultPath && !files.has(path)
  const seen = new Set<string>()
  const remove = entries.flatMap(({ path, line, host }) => {
    const text = `${path} ${host}`
    const isKept = wantedLines.has(text) && !seen.has(text)
    seen.add(text)
    return isKept ? [] : [`${path}:${line}`]
  })
  return {
    // One that is known and not shown may be half told: by a daemon that was killed.
    load: [...files]
      .filter((path) => !entries.some((entry) => entry.path === path))
      .map((path) => ({ path, isNew: !loaded.includes(path) })),
    add,
    remove,
    unload: loaded.filter(isUnused),
  }
}

/** @see management.txt, "show ssl crt-list -n": a file, its line and the names for which it is shown */
export function parseList(text: string): ListEntry[] {
  return text.split('\n').flatMap((row) => {
    const found = /^(\/\S+):(\d+)(?: \[.*\])? (\S+)$/.exec(row.trimEnd())
    return found ? [{ path: found[1]!, line: Number(found[2]), host: found[3]! }] : []
  })
}

/** @see management.txt, "show ssl cert": a file on each line */
export function parseLoaded(text: string): string[] {
  return text.split('\n').filter((line) => line.startsWith('/'))
}

/** The file of the one change that was begun and not made, as the same says by a star. */
export function parseBegun(text: string): string | null {
  return /^\*(\/.*)$/m.exec(text)?.[1] ?? null
}
