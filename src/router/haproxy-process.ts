import { execFile, spawn } from 'node:child_process'
import { open, readFile, stat, truncate } from 'node:fs/promises'
import type { Control } from '../domain/control.ts'
import { RackError } from '../domain/error.ts'
import { until } from '../lib/poll.ts'
import { createHaproxyFinder, endHaproxys, haproxyArguments, missingProgram } from './haproxy-program.ts'
import type { RuntimeApi, Workers } from './runtime-api.ts'

const startDeadlineMs = 10_000
const reloadDeadlineMs = 20_000
const checkDeadlineMs = 10_000
const logLimitBytes = 4 * 1024 * 1024

/** One HAProxy, known by the configuration file that it was started with. */
export interface HaproxyProcess {
  /** The pid of the running master, or null; a zombie or another program under the number of the pid file is none. */
  find(): Promise<number | null>
  /**
   * Checks a configuration file without starting anything.
   *
   * @throws internal when HAProxy refuses it
   */
  check(configPath: string, control: Control): Promise<void>
  /**
   * Starts HAProxy in a session of its own, so that it outlives its starter, and waits until it serves.
   *
   * @throws host-failed when it ends or does not answer in 10 s
   */
  start(control: Control): Promise<number>
  /**
   * Reads the configuration file again without losing a connection, and waits until the new worker serves.
   *
   * @throws host-failed when the new configuration could not be taken up; the old one then serves on
   */
  reload(structure: string, control: Control): Promise<void>
  /** Ends it at once, connections too, and waits until nothing of it is left; safe to repeat. */
  stop(options: { deadlineMs: number }, control: Control): Promise<void>
  /** Keeps the log file small; HAProxy appends to it, so it may be cut while it runs. */
  trimLog(): Promise<void>
}

export interface HaproxyProcessOptions {
  directory: string
  /** The program, such as `haproxy`. */
  program: string
  runtime: RuntimeApi
}

const logPath = (directory: string): string => `${directory}/router.log`

/** Controls the HAProxy of a directory. */
export function createHaproxyProcess({ directory, program, runtime }: HaproxyProcessOptions): HaproxyProcess {
  const find = createHaproxyFinder(directory)
  return {
    find,
    check: (path, control) => checkConfig(program, path, control),
    async start(control) {
      // A dead master's worker may hold the ports for a moment.
      await endHaproxys(directory, { deadlineMs: startDeadlineMs }, control)
      const ended = await launch(program, directory)
      return await waitUntilServing({ directory, find, ended, runtime }, control)
    },
    async reload(structure, control) {
      const pid = await find()
      if (pid === null) throw new RackError('host-failed', 'the router does not run')
      const before = await runtime.workers(control)
      process.kill(pid, 'SIGUSR2')
      await waitUntilReloaded({ directory, structure, before, runtime }, control)
    },
    async stop(options, control) {
      await endHaproxys(directory, options, control)
    },
    async trimLog() {
      const path = logPath(directory)
      const { size } = (await stat(path).catch(orNull)) ?? { size: 0 }
      if (size > logLimitBytes) await truncate(path, 0)
    },
  }
}

async function checkConfig(program: string, path: string, { signal }: Control): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  execFile(
    program,
    ['-c', '-q', '-f', path],
    { signal, timeout: checkDeadlineMs },
    (error, _out, complaint) => {
      if (!error) return resolve()
      if (signal.aborted) return reject(signal.reason as Error)
      if (error.code === 'ENOENT') return reject(missingProgram(program, error))
      const text = `HAProxy refused the router's configuration: ${firstAlert(complaint) ?? error.message}`
      reject(new RackError('internal', text, { cause: error }))
    },
  )
  await promise
}

/** Resolves with the promise of its end: with the last line of its log when it ends by itself. */
async function launch(program: string, directory: string): Promise<{ end: Promise<Error> }> {
  await using log = await open(logPath(directory), 'a', 0o600)
  const child = spawn(program, haproxyArguments(directory), {
    cwd: directory,
    env: plainEnvironment(),
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
  })
  const { promise: end, resolve } = Promise.withResolvers<Error>()
  child.once('error', (error) => resolve(missingProgram(program, error)))
  child.once('exit', (code, signal) =>
    resolve(new RackError('host-failed', `the router ended (${code ?? signal})`)),
  )
  child.unref()
  // A turn of the loop: spawn has the file open before we close ours.
  return { end }
}

/** What is in the starter's environment is none of the router's business, and would outlive it. */
function plainEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH ?? '/usr/sbin:/usr/bin:/sbin:/bin' }
}

interface Starting {
  directory: string
  find: () => Promise<number | null>
  ended: { end: Promise<Error> }
  runtime: RuntimeApi
}

async function waitUntilServing(
  { directory, find, ended, runtime }: Starting,
  control: Control,
): Promise<number> {
  const { signal } = control
  let failure: Error | null = null
  void ended.end.then((error) => (failure = error))
  const since = await logSize(directory)
  try {
    return await until(
      async () => {
        if (failure) throw failure
        const pid = await find()
        if (pid === null) return null
        const { current } = (await runtime.workers(control).catch(orNull)) ?? { current: null }
        return current !== null && (await runtime.info(current, control).catch(orNull)) ? pid : null
      },
      { deadlineMs: startDeadlineMs, intervalMs: 20, what: 'the router to serve', signal },
    )
  } catch (error) {
    signal.throwIfAborted()
    throw await explain('the router does not start', directory, since, error)
  }
}

interface Reloading {
  directory: string
  structure: string
  before: Workers
  runtime: RuntimeApi
}

async function waitUntilReloaded(reloading: Reloading, control: Control): Promise<void> {
  const { directory, structure, before, runtime } = reloading
  const { signal } = control
  const since = await logSize(directory)
  try {
    await until(
      async () => {
        // The master starts itself again: for a moment nobody answers.
        const workers = await runtime.workers(control).catch(orNull)
        if (!workers) return false
        if (workers.failedReloads > before.failedReloads) throw new Error('the new worker did not start')
        if (workers.current === null || workers.current === before.current) return false
        const info = await runtime.info(workers.current, control).catch(orNull)
        return info?.get('description') === structure
      },
      { deadlineMs: reloadDeadlineMs, intervalMs: 20, what: 'the new worker of the router', signal },
    )
  } catch (error) {
    signal.throwIfAborted()
    throw await explain('the router could not take up its new configuration', directory, since, error)
  }
}

async function explain(what: string, directory: string, since: number, cause: unknown): Promise<RackError> {
  const text = (await readFile(logPath(directory), 'utf8').catch(orNull)) ?? ''
  const alert = firstAlert(text.slice(since)) ?? firstAlert(text)
  const reason = alert ?? (cause instanceof Error ? cause.message : String(cause))
  const taken = /cannot bind socket.*\[(.*):(\d+)\]/i.exec(reason)
  if (taken) {
    return new RackError(
      'port-taken',
      `${what}: port ${taken[2]} of ${taken[1]} is held by another program`,
      {
        details: { port: Number(taken[2]) },
        cause,
      },
    )
  }
  return new RackError('host-failed', `${what}: ${reason}`, { hint: `See ${logPath(directory)}`, cause })
}

function firstAlert(text: string): string | null {
  return /^\[ALERT\]\s+\(\d+\) : (.*)$/m.exec(text)?.[1]?.replace(/^config : /, '') ?? null
}

async function logSize(directory: string): Promise<number> {
  return (await stat(logPath(directory)).catch(orNull))?.size ?? 0
}

/** For what may be gone, or not there yet: absence is the answer. */
function orNull(error: unknown): null {
  const code = (error as NodeJS.ErrnoException).code
  if (code === 'ENOENT' || code === 'ESRCH' || code === 'host-failed') return null
  throw error
}
