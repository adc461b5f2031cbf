/** The directory of a path, `.` for one without. */
export function directoryOf(path: string): string {
  const slash = path.lastIndexOf('/')
  return slash < 0 ? '.' : path.slice(0, slash) || '/'
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
