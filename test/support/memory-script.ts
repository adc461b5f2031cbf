import { setTimeout as pause } from 'node:timers/promises'
import { mirrorStatus } from './memory-connect.ts'
import { programOf, type MemoryServer } from './memory-programs.ts'
import type { MemoryFile } from './memory-files.ts'

/** What a port answers with. */
export interface Listener {
  status: number
  text: string
}

/** What a command of the in-memory engine may touch. */
export interface ScriptHost {
  environment: Record<string, string>
  files: ReadonlyMap<string, MemoryFile>
  input: AsyncIterable<Uint8Array> | null
  output(stream: 'stdout' | 'stderr', bytes: Uint8Array): Promise<void>
  /** Null is every port. */
  listen(port: number | null, listener: Listener): void
  /** What listens at a port of a host that it can reach; null for nothing. */
  reach?(host: string, port: number): Listener | null
  /** What a database knows whose program this is. */
  server?: MemoryServer
  /** The exit code of a stop; 143 when absent. */
  stopCode?: number
}

/** How a stopped and a killed script end, as a shell tells it. */
const terminated = 143
export const killed = 137

type Verb = (host: ScriptHost, next: () => string, signal: AbortSignal) => Promise<number | void>

const line = (text: string) => Buffer.from(`${text}\n`)

const verbs: Record<string, Verb> = {
  print: async (host, next) => await host.output('stdout', line(next())),
  complain: async (host, next) => await host.output('stderr', line(next())),
  show: async (host, next) => await host.output('stdout', line(host.environment[next()] ?? '')),
  read: async (host, next) => {
    const file = host.files.get(next())
    const mode = file?.mode.toString(8) ?? ''
    await host.output('stdout', line(`${mode} ${Buffer.from(file?.bytes ?? []).toString()}`))
  },
  ask: async (host, next) => {
    const said = host.reach?.(next(), Number(next()))
    await host.output('stdout', line(said?.text ?? 'nobody'))
  },
  exit: async (_host, next) => Number(next()),
  oom: async () => killed,
  'stops-well': async (host) => {
    host.stopCode = 0
  },
  sleep: async (_host, _next, signal) => await untilStopped(signal),
  pause: async (_host, next, signal) => {
    await pause(Number(next()), undefined, { signal })
  },
  'never-healthy': async (_host, _next, signal) => await untilStopped(signal),
  serve: async (host, next, signal) => {
    const port = next()
    const listener = { status: Number(next() || '200'), text: next() || 'ok' }
    host.listen(port === '' ? null : Number(port), listener)
    await untilStopped(signal)
  },
  mirror: async (host, next, signal) => {
    host.listen(Number(next()), { status: mirrorStatus, text: '' })
    await untilStopped(signal)
  },
  echo: async (host, _next, signal) => {
    for await (const chunk of host.input ?? []) {
      signal.throwIfAborted()
      await host.output('stdout', chunk)
    }
    return 0
  },
}

/**
 * Runs a command of words, verb after verb: `print TEXT`, `complain TEXT` (on stderr), `show VARIABLE`, `ask HOST PORT`,
 * `read FILE` (its mode, then what is in it), `pause MS`, `exit CODE`, `oom`, `sleep`, `never-healthy`, `echo`, `serve [PORT [STATUS [TEXT]]]`,
 * `mirror PORT`, `stops-well`; also as the text of a shell, and what `programOf` knows. Any other command is a program that
 * serves on every port until it is stopped.
 */
export async function runScript(words: string[], host: ScriptHost, signal: AbortSignal): Promise<number> {
  const program = programOf(words)
  if (program) return await program(host)
  const own = words[1] === '-c' && words.length === 3 ? words[2]!.split(' ') : words
  const known = own[0] !== undefined && Object.hasOwn(verbs, own[0])
  const rest = known ? [...own] : ['serve']
  const next = () => rest.shift() ?? ''
  try {
    while (rest.length > 0) {
      const verb = verbs[next()]
      if (!verb) return 127
      const code = await untilAborted(verb(host, next, signal), signal)
      if (code !== undefined) return code
    }
    return 0
  } catch (error) {
    if (signal.aborted) return signal.reason === 'killed' ? killed : (host.stopCode ?? terminated)
    throw error
  }
}

async function untilStopped(signal: AbortSignal): Promise<never> {
  return await untilAborted(new Promise<never>(() => {}), signal)
}

async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: stopped, reject } = Promise.withResolvers<never>()
  const stop = () => reject(new Error('stopped'))
  if (signal.aborted) stop()
  signal.addEventListener('abort', stop, { once: true })
  try {
    return await Promise.race([promise, stopped])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
