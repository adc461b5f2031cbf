import { dirname, join } from 'node:path'

/** The system takes 107 bytes. */
const longestPathBytes = 100

/**
 * Where a rack's API is reached: `api.sock` in its directory; where that path is too long for a socket, in a short
 * directory of its own that follows from the long one and the user.
 */
export function apiSocketPath(directory: string): string {
  const path = join(directory, 'api.sock')
  if (Buffer.byteLength(path) <= longestPathBytes) return path
  const { createHash } = process.getBuiltinModule('node:crypto')
  const name = createHash('sha256').update(directory).digest('hex').slice(0, 12)
  const uid = process.getuid?.() ?? 0
  return uid === 0 ? `/run/rack-${name}/api.sock` : `/tmp/rack-${uid}-${name}/api.sock`
}

/** The directory that is there for a rack's socket alone; null when it lies in the rack's own. */
export function ownSocketDirectory({
  directory,
  socket,
}: {
  directory: string
  socket: { path: string }
}): string | null {
  const folder = dirname(socket.path)
  return folder === directory ? null : folder
}
