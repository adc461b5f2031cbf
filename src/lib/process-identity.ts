import { readlink } from 'node:fs/promises'
import { readProcess } from './files.ts'
import { isGone } from './missing.ts'

export interface ProcessIdentity {
  pid: number
  /** Clock ticks from boot to its start: with the pid it names one process, even after the number is used again. */
  startTicks: number
  /** The arguments, joined by spaces. */
  commandLine: string
}

/**
 * What runs under a process id now (Linux), or null when nothing does. A zombie counts as nothing: its number still
 * answers `kill -0`, but it does no work.
 */
export async function identifyProcess(pid: number): Promise<ProcessIdentity | null> {
  if (!Number.isSafeInteger(pid) || pid < 1) return null
  const [stat, commandLine] = await Promise.all([readProcess(pid, 'stat'), readProcess(pid, 'cmdline')])
  if (stat === null || commandLine === null) return null
  const { state, startTicks } = parseStat(stat)
  if (state === 'Z' || state === 'X') return null
  return { pid, startTicks, commandLine: commandLine.replaceAll('\0', ' ').trim() }
}

/** Whether the id still belongs to the program that it was noted for: part of its command line, its start, or both. */
export async function isSameProcess(
  pid: number,
  expected: { commandIncludes?: string; startTicks?: number },
): Promise<boolean> {
  const found = await identifyProcess(pid)
  if (found === null) return false
  const { commandIncludes, startTicks } = expected
  if (commandIncludes !== undefined && !found.commandLine.includes(commandIncludes)) return false
  return startTicks === undefined || startTicks === found.startTicks
}

/**
 * Whether a process sees the same files as this one: a path in its arguments means another file in a container. True
 * where that can't be told.
 */
export async function seesSameFiles(pid: number): Promise<boolean> {
  const [theirs, ours] = await Promise.all([mountNamespace(pid), mountNamespace('self')])
  return theirs === null || theirs === ours
}

async function mountNamespace(pid: number | 'self'): Promise<string | null> {
  try {
    return await readlink(`/proc/${pid}/ns/mnt`)
  } catch (error) {
    if (isGone(error) || isForbidden(error)) return null
    throw error
  }
}

function isForbidden(error: unknown): boolean {
  return ['EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')
}

/** The state letter and the start of `/proc/PID/stat`; the name before them may hold spaces and brackets. */
export function parseStat(stat: string): { state: string; startTicks: number } {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return { state: fields[0] ?? '', startTicks: Number(fields[19]) }
}
