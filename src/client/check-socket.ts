import type { Stats } from 'node:fs'
import { RackError } from '../domain/error.ts'

/**
 * Refuses a Unix socket that another user of this machine may have put there, may exchange, or may wait for: it and its
 * directory belong to root or to whoever asks, only they may change the directory, and not everybody may use the socket.
 * To be called before a byte is sent. One that is not there is for the connection to tell.
 * @throws untrusted
 */
export function checkSocket(path: string): void {
  const folder = look(path.slice(0, path.lastIndexOf('/')) || '/')
  if (folder === null || !checkFolder(folder)) return
  const socket = look(path)
  if (socket === null) return
  if (!socket.stat.isSocket()) throw untrusted(path, 'is no socket')
  checkOwner(socket)
  // To connect is to write. A daemon that has just begun takes the rest away in a moment.
  if ((socket.stat.mode & 0o002) !== 0) throw untrusted(path, 'is open to every user of this machine')
}

interface Found {
  path: string
  /** Of the name itself, where that is a link. */
  stat: Stats
}

/** False where a link leads to nothing. */
function checkFolder(named: Found): boolean {
  checkOwner(named)
  const folder = named.stat.isSymbolicLink() ? look(named.path, { isFollowed: true }) : named
  if (folder === null) return false
  if (!folder.stat.isDirectory()) throw untrusted(folder.path, 'is no directory')
  checkOwner(folder)
  if ((folder.stat.mode & 0o022) !== 0) throw untrusted(folder.path, 'can be changed by other users')
  return true
}

/** Null where nothing is there, or where this user may not look. */
function look(path: string, { isFollowed = false } = {}): Found | null {
  const { lstatSync, statSync } = process.getBuiltinModule('node:fs')
  try {
    return { path, stat: (isFollowed ? statSync : lstatSync)(path) }
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes(code)) return null
    throw error
  }
}

function checkOwner({ path, stat: { uid } }: Found): void {
  if (uid === 0 || uid === process.getuid?.()) return
  throw untrusted(path, `belongs to user ${uid}, who is neither you nor root`)
}

function untrusted(path: string, why: string): RackError {
  return new RackError('untrusted', `${path} ${why}: nothing was sent to it`, {
    hint: `See whose it is (ls -ld ${path}); rack doctor. If the rack is that user's, be that user.`,
    details: { path },
  })
}
