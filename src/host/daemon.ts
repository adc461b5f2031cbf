import { spawn } from 'node:child_process'
import { open, readFile, statfs } from 'node:fs/promises'
import { get } from 'node:http'
import type { Control } from '../domain/control.ts'
import { RackError } from '../domain/error.ts'
import { readTextIfThere } from '../lib/files.ts'
import { until } from '../lib/poll.ts'
import { isSameProcess } from '../lib/process-identity.ts'
import { installationPaths, type Installation } from './installation.ts'
import { endProcess } from './end-process.ts'

/** What starts a daemon: a Node and the launcher in the clone. */
export interface DaemonProgram {
  node: string
  script: string
}

const startDeadlineMs = 60_000
/** A change that runs is left in the journal, so nothing takes long. */
const stopDeadlineMs = 30_000
/** With less a daemon cannot write down what it is about to do. */
const leastRoomBytes = 2 ** 20

/** The command line of a rack's daemon. */
export function daemonCommand({ node, script }: DaemonProgram, directory: string): string[] {
  return [node, script, 'daemon', '--dir', directory]
}

/** The process id of the rack's running daemon, or null; another program under its number is none. */
export async function findDaemon(directory: string): Promise<number | null> {
  const noted = await readPidFile(installationPaths(directory).pid)
  if (noted === null) return null
  const { pid, startTicks } = noted
  return (await isSameProcess(pid, { startTicks, commandIncludes: 'start.mjs daemon' })) ? pid : null
}

/** Whether the daemon's API answers now. */
export async function answersHealth({ socket }: Pick<Installation, 'socket'>): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const way = { socketPath: socket.path, signal: AbortSignal.timeout(5000), agent: false }
  const asked = get('http://localhost/v1/health', way, (response) => {
    response.resume()
    resolve(response.statusCode === 200)
  })
  asked.once('error', () => resolve(false))
  return await promise
}

/**
 * Starts the daemon in a session of its own, so that it outlives this program, and waits until its API answers. One
 * that runs already is left alone; one that was started for a caller who was interrupted is ended.
 * @returns its process id
 * @throws host-failed with the last lines of its log
 */
export async function startDaemon(
  installation: Installation,
  program: DaemonProgram,
  environment: Record<string, string | undefined>,
  control: Control,
): Promise<number> {
  const { directory } = installation
  const paths = installationPaths(directory)
  const running = await findDaemon(directory)
  if (running !== null) {
    const run = { pid: running, ended: () => null, logStart: 0 }
    return await waitUntilServing(installation, run, control)
  }
  const log = await open(paths.log, 'a', 0o600)
  let ended: string | null = null
  let logStart = 0
  try {
    logStart = (await log.stat()).size
    const [command = '', ...args] = daemonCommand(program, directory)
    const stdio: ['ignore', number, number] = ['ignore', log.fd, log.fd]
    const child = spawn(command, args, { cwd: directory, detached: true, stdio, env: environment })
    child.once('error', (error) => (ended = error.message))
    child.once('exit', (code, signal) => (ended = `it ended with ${code ?? signal}`))
    child.unref()
    control.signal.addEventListener('abort', () => child.kill(), { once: true })
  } finally {
    await log.close()
  }
  return await waitUntilServing(installation, { pid: null, ended: () => ended, logStart }, control)
}

/** Ends the daemon well; apps and router go on. False when none ran. @throws host-failed when it does not end */
export async function stopDaemon(directory: string, control: Control): Promise<boolean> {
  const pid = await findDaemon(directory)
  if (pid === null) return false
  await endProcess(pid, { what: 'the daemon', deadlineMs: stopDeadlineMs }, control)
  return true
}

interface DaemonRun {
  /** Null for one that was started just now. */
  pid: number | null
  /** Why it has ended, once it has. */
  ended: () => string | null
  /** Where in the log its lines begin. */
  logStart: number
}

async function waitUntilServing(
  installation: Installation,
  { pid: running, ended, logStart }: DaemonRun,
  { signal }: Control,
): Promise<number> {
  const { directory } = installation
  try {
    return await until(
      async () => {
        const pid = await findDaemon(directory)
        if (pid !== null && (await answersHealth(installation))) return pid
        const reason = ended()
        // A second daemon ends by itself when the first one is up.
        if (reason !== null && pid === null) throw new Error(reason)
        return null
      },
      { deadlineMs: startDeadlineMs, intervalMs: 50, what: 'the daemon to answer', signal },
    )
  } catch (cause) {
    signal.throwIfAborted()
    const what =
      running === null ? 'the daemon does not start' : `the daemon (process ${running}) does not answer`
    throw await explained(what, { directory, logStart }, cause)
  }
}

async function explained(
  what: string,
  { directory, logStart }: { directory: string; logStart: number },
  cause: unknown,
): Promise<RackError> {
  const { bavail, bsize } = await statfs(directory)
  if (bavail * bsize < leastRoomBytes) {
    return new RackError('disk-full', `${what}: no room is left on the disk of ${directory}`, {
      hint: `Make room (df -h ${directory}), then: rack start`,
      cause,
    })
  }
  const { log } = installationPaths(directory)
  const reason = cause instanceof Error ? cause.message : String(cause)
  const lines = await lastLogLines(log, logStart, 8)
  const message = [`${what}: ${reason}`, ...lines.map((line) => `  | ${line}`)].join('\n')
  return new RackError('host-failed', message, { hint: `All of it is in ${log}`, details: { lines }, cause })
}

/** The last lines of the daemon's log, in a person's form where they are its JSON. */
async function lastLogLines(path: string, start: number, count: number): Promise<string[]> {
  const text = (await readTextIfThere(path)) ?? ''
  return Buffer.from(text)
    .subarray(start)
    .toString()
    .trimEnd()
    .split('\n')
    .slice(-count)
    .map(readableLine)
    .filter((line) => line !== '')
}

function readableLine(line: string): string {
  if (!line.startsWith('{')) return line
  try {
    const { msg, err } = JSON.parse(line) as { msg?: string; err?: { message?: string; hint?: string } }
    return [msg, err?.message, err?.hint].filter(Boolean).join(': ') || line
  } catch (error) {
    // Half a line: the disk was full, or its writer was killed.
    if (error instanceof SyntaxError) return ''
    throw error
  }
}

async function readPidFile(path: string): Promise<{ pid: number; startTicks: number } | null> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as { pid: number; startTicks: number }
  } catch (error) {
    // Half a file is from a machine that went down: whoever wrote it is gone.
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}
