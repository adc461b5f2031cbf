import { RackError } from '../../domain/error.ts'

const reasons: Record<string, string> = {
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  EROFS: 'the file system is read-only',
  ENOTDIR: 'a part of the path is no directory',
  ENOENT: 'no such file or directory',
  EISDIR: 'it is a directory',
  ENAMETOOLONG: 'the name is too long',
  ELOOP: 'it leads in a circle of links',
  EMFILE: 'too many open files',
}

/** What a person is told when a file here cannot be read or written. */
export function localFailure(path: string, cause: unknown): unknown {
  if (cause instanceof RackError) return cause
  const { code = '' } = cause as NodeJS.ErrnoException
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new RackError('disk-full', `the disk of ${path} is full`, {
      hint: 'What was copied before stays; nothing half written does.',
      cause,
    })
  }
  const reason = reasons[code]
  return reason === undefined ? cause : new RackError('invalid', `${path}: ${reason}`, { cause })
}
