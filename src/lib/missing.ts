/** Whether an error of the file system says that nothing is there: no such name, or a file where a folder should be. */
export function isMissing(error: unknown): boolean {
  return hasCode(error, ['ENOENT', 'ENOTDIR'])
}

/** The same of a process and its files in `/proc`, which may end between the open and the read. */
export function isGone(error: unknown): boolean {
  return hasCode(error, ['ENOENT', 'ESRCH'])
}

function hasCode(error: unknown, codes: string[]): boolean {
  return error instanceof Error && codes.includes((error as NodeJS.ErrnoException).code ?? '')
}
