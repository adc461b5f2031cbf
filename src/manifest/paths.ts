import type { Place } from './problems.ts'

/** The directory from which a relative path starts that stands at a place. */
export function baseOf({ base, position }: Place): string {
  return base ?? directoryOf(position.file)
}

/** What else to type where a path leads above the source: the directory above may be the source, as in many repositories. */
export function fromAbove({ position }: Place, path: string): string {
  const isAbove = path.split('/').includes('..') && !path.startsWith('/')
  return isAbove
    ? `, or go to the directory above that has it all, and name the file: rack deploy -f FOLDER/${position.file}`
    : ''
}

/** The directory of a path, `.` for one without. */
export function directoryOf(path: string): string {
  const slash = path.lastIndexOf('/')
  return slash < 0 ? '.' : path.slice(0, slash) || '/'
}

/** Whether a text names something elsewhere: a URL, or a git repository. */
export function isRemote(text: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\/|^git@|^github\.com\/|^oci:/i.test(text)
}

/** Joins and normalises paths of the source directory; null when the result leaves it or is absolute. */
export function joinInside(base: string, path: string): string | null {
  if (path.startsWith('/') || path.startsWith('~') || path.includes('\0') || /^[A-Za-z]:[\\/]/.test(path))
    return null
  const parts: string[] = []
  for (const part of `${base}/${path}`.split('/')) {
    if (part === '' || part === '.') continue
    if (part !== '..') parts.push(part)
    else if (parts.pop() === undefined) return null
  }
  return parts.join('/') || '.'
}

/** An absolute path without empty steps; null for one that is relative, `/` itself, or leads upwards. */
export function normalisedPath(path: string): string | null {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.')
  return path.startsWith('/') && parts.length > 0 && !parts.includes('..') ? `/${parts.join('/')}` : null
}
