import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { access, constants } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { SetupError } from './progress.ts'

/** The longest that a program may take, a slow mirror included. */
const longestMs = 600_000

/** Tells whether this program runs as root. */
export function isRoot(): boolean {
  return process.getuid?.() === 0
}

/** Turns a promise into a yes or no: for questions whose failure is the answer. */
export function succeeds(work: Promise<unknown>): Promise<boolean> {
  return work.then(
    () => true,
    () => false,
  )
}

/** Tells whether a program is on PATH or in the system's folders, which a user's PATH may lack. */
export async function hasProgram(name: string): Promise<boolean> {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin']
  const found = await Promise.all(
    folders.map((folder) => succeeds(access(join(folder, name), constants.X_OK))),
  )
  return found.includes(true)
}

/**
 * Runs a program to its end and returns what it printed.
 * @throws SetupError with its last lines, when it cannot start, fails or takes too long
 */
export async function run(
  program: string,
  args: string[],
  env: Record<string, string> = {},
): Promise<string> {
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
    signal: AbortSignal.timeout(longestMs),
  })
  const printed = textOf(child.stdout)
  const complained = textOf(child.stderr)
  await ending(program, child, () => complained() || printed())
  return printed()
}

/** Starts a program whose output is a stream; `ended` rejects when it fails, with what it complained about. */
export function pipeFrom(program: string, args: string[]) {
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    signal: AbortSignal.timeout(longestMs),
  })
  return { output: child.stdout, ended: ending(program, child, textOf(child.stderr)) }
}

/** Runs a program whose conversation the reader sees; resolves when it has succeeded. */
export async function show(program: string, args: string[]): Promise<void> {
  const child = spawn(program, args, { stdio: ['inherit', 2, 2] })
  await ending(`${program} ${args[0]}`, child, () => '')
}

/** Gathers a stream's text; the returned function gives what has come so far. */
function textOf(stream: NodeJS.ReadableStream): () => string {
  let text = ''
  stream.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
  })
  return () => text
}

async function ending(program: string, child: ChildProcess, complaint: () => string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<string | null>()
  child.once('error', (error) => {
    const tookLong = error.name === 'AbortError'
    const what = tookLong ? `was ended after ${longestMs / 1000} s` : 'did not start'
    reject(new SetupError(`${program} ${what}`, tookLong ? 'Try again' : 'Is it installed?', error))
  })
  child.once('close', (code, signal) => resolve(code === 0 ? null : (signal ?? `exit ${code}`)))
  const failure = await promise
  if (failure === null) return
  const lastLines = complaint().trim().split('\n').slice(-8).join('\n    ')
  throw new SetupError(
    `${program} failed (${failure})`,
    lastLines ? `It said:\n    ${lastLines}` : 'Its reason is above',
  )
}
