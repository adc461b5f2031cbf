import { spawn } from 'node:child_process'
import { access, constants } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { SetupError } from './progress.ts'

/** Options of `run`: extra environment, a deadline (default ten minutes) and the directory to run in. */
export interface RunOptions {
  env?: Record<string, string>
  timeoutMs?: number
  cwd?: string
}

/** Tells whether this program runs as root. */
export function isRoot(): boolean {
  return process.getuid?.() === 0
}

/** Tells whether a program is on PATH or in the system's folders, which root's PATH may lack. */
export async function hasProgram(name: string): Promise<boolean> {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin']
  const found = await Promise.all(
    folders.map((folder) =>
      access(join(folder, name), constants.X_OK).then(
        () => true,
        () => false,
      ),
    ),
  )
  return found.includes(true)
}

/**
 * Runs a program to its end and returns what it printed.
 * @throws SetupError with its last lines, when it fails or takes too long
 */
export async function run(program: string, args: string[], options: RunOptions = {}): Promise<string> {
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...options.env },
    timeout: options.timeoutMs ?? 600_000,
    cwd: options.cwd,
  })
  let printed = ''
  let complained = ''
  child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (complained += chunk.toString()))
  const ended = await new Promise<string | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve(code === 0 ? null : (signal ?? `exit ${code}`)))
  })
  if (ended === null) return printed
  const lastLines = (complained.trim() || printed.trim()).split('\n').slice(-8).join('\n    ')
  throw new SetupError(`${program} failed (${ended})`, `It said:\n    ${lastLines}`)
}

/** Starts a program whose output is a stream; `ended` rejects when it fails, with what it complained about. */
export function pipeFrom(
  program: string,
  args: string[],
): { output: NodeJS.ReadableStream; ended: Promise<void> } {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let complained = ''
  child.stderr.on('data', (chunk: Buffer) => (complained += chunk.toString()))
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => {
      if (code === 0) resolve()
      else
        reject(
          new SetupError(
            `${program} failed (exit ${code})`,
            `It said:\n    ${complained.trim().slice(-800)}`,
          ),
        )
    })
  })
  return { output: child.stdout, ended }
}

/** Runs a program whose conversation the reader sees; resolves when it has succeeded. */
export async function show(program: string, args: string[]): Promise<void> {
  const child = spawn(program, args, { stdio: ['inherit', 2, 2] })
  const ended = await new Promise<string | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve(code === 0 ? null : (signal ?? `exit ${code}`)))
  })
  if (ended !== null) throw new SetupError(`${program} ${args[0]} failed (${ended})`, 'Its reason is above')
}
