import { RackError } from '../../domain/error.ts'

/** One side of a copy. */
export type Place =
  /** `PROCESS:/path`; the process is an id or a type. */
  | { kind: 'inside'; process: string; path: string }
  | { kind: 'local'; path: string }
  /** `-`: a tar on standard input or output. */
  | { kind: 'stream' }

/** @throws usage for a path in a process that is not absolute */
export function parsePlace(word: string): Place {
  if (word === '-') return { kind: 'stream' }
  const inside = /^([A-Za-z0-9][\w-]*):(.*)$/s.exec(word)
  if (!inside) return { kind: 'local', path: word }
  const [, name = '', path = ''] = inside
  if (path.split('/').includes('..')) {
    throw new RackError('usage', `"${path}" goes up: name what is meant`, {
      hint: `${name}:/path without ..`,
    })
  }
  if (path.startsWith('/') && !path.includes('\0')) return { kind: 'inside', process: name, path }
  throw new RackError('usage', `"${path}" is no path in a process: it begins with /`, {
    hint: `${name}:/${path} in the process; ./${word} for a file of this name here`,
  })
}

/** The name by which a path goes into another directory; `.` for what is in it, alone. */
export function nameOf(path: string): string {
  const parts = path.split('/').filter((part) => part !== '')
  if (parts.length === 0) return '.'
  return parts.at(-1)!
}

/** True for `DIR/.` and the root: what is in the directory goes, not the directory itself. */
export function isContents(path: string): boolean {
  return nameOf(path) === '.'
}

/** The directory that a path is in, and its name there. */
export function splitPath(path: string): { parent: string; name: string } {
  const trimmed = path.replace(/(?<=.)\/+$/, '')
  const at = trimmed.lastIndexOf('/')
  if (at === -1) return { parent: '.', name: trimmed }
  return { parent: at === 0 ? '/' : trimmed.slice(0, at), name: trimmed.slice(at + 1) }
}
