import { access, constants, readdir, readFile, readlink } from 'node:fs/promises'
import { isGone, isMissing } from './missing.ts'

/** Whether something is there that this program may use so: `R_OK`, `W_OK`, `X_OK` of Node's constants; at all when absent. */
export async function isThere(path: string, mode = constants.F_OK): Promise<boolean> {
  return await access(path, mode).then(
    () => true,
    () => false,
  )
}

/** The text of a file, null when there is none. */
export async function readTextIfThere(path: string): Promise<string | null> {
  return await ifThere(readFile(path, 'utf8'), isMissing)
}

/** The names in a directory, none when there is no such directory. */
export async function listIfThere(path: string): Promise<string[]> {
  return (await ifThere(readdir(path), isMissing)) ?? []
}

/** A file below `/proc/PID`, such as `stat`; null when there is no such process, or no longer. */
export async function readProcess(pid: number | string, file: string): Promise<string | null> {
  return await ifThere(readFile(`/proc/${pid}/${file}`, 'utf8'), isGone)
}

/** The program that a process runs; null when there is none, or it is not this user's to see. */
export async function programOfProcess(pid: number | string): Promise<string | null> {
  const isHidden = (error: unknown) => isGone(error) || (error as NodeJS.ErrnoException).code === 'EACCES'
  return await ifThere(readlink(`/proc/${pid}/exe`), isHidden)
}

async function ifThere<T>(reading: Promise<T>, isAbsence: (error: unknown) => boolean): Promise<T | null> {
  try {
    return await reading
  } catch (error) {
    if (isAbsence(error)) return null
    throw error
  }
}
