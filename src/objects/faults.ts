import { RackError } from '../domain/error.ts'

/** The system's name for an error, such as ENOENT. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'syscall' in error ? (error as NodeJS.ErrnoException).code : undefined
}

/** An error of the file system in Rack's words; any other comes back as it is. */
export function objectFault(error: unknown): unknown {
  const code = errnoOf(error)
  if (code === undefined) return error
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new RackError(
      'disk-full',
      'the disk of the rack directory is full; what was half written is removed',
      {
        hint: 'Make room on the disk that holds the rack directory, then try again.',
        cause: error,
      },
    )
  }
  if (code === 'EISDIR' || code === 'ENOTDIR' || code === 'EEXIST') {
    return new RackError('conflict', 'an object of that name, or below it, is there already', {
      cause: error,
    })
  }
  return new RackError('store-failed', `the rack directory failed: ${(error as Error).message}`, {
    hint: 'Look after the disk and the permissions of the rack directory.',
    cause: error,
  })
}

export function noSuchKey(key: string): RackError {
  return new RackError('not-found', `there is no object "${key}"`, { details: { key } })
}
