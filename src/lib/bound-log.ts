import { copyFileSync, rmSync, statSync, truncateSync } from 'node:fs'

/**
 * Keeps a log that others append to below a size: what is longer moves to `<path>.1`, over what was there, and the log
 * begins anew. With a full disk the older lines are lost instead. In one go, so that no line of this process falls in between.
 * @returns whether it moved
 */
export function boundLog(path: string, mostBytes: number): boolean {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0
  if (size <= mostBytes) return false
  const older = `${path}.1`
  try {
    copyFileSync(path, older)
  } catch {
    // Half a copy would take the room that is lacking.
    rmSync(older, { force: true, recursive: true })
  }
  truncateSync(path)
  return true
}
