import { randomBytes } from 'node:crypto'
import { makeId } from '../../src/domain/id.ts'
import { copyIdentity } from '../../src/domain/copy-identity.ts'
import type { Owner } from '../../src/domain/owner.ts'
import type { ProcessPlan } from '../../src/domain/plan.ts'
import type { ExitCode, Process, ProcessKind } from '../../src/domain/process.ts'
import type { Terminal } from '../../src/domain/terminal.ts'
import { createLineSplitter } from '../../src/lib/lines.ts'
import { plannedFiles, type MemoryFile } from './memory-files.ts'
import type { CopyMark } from '../../src/rollout/runtime.ts'
import type { MemoryLog } from './memory-log.ts'
import { runScript, type Listener, type ScriptHost } from './memory-script.ts'

/** One process of the in-memory engine. */
export interface MemoryCopy {
  process: Process
  plan: ProcessPlan
  operation: string | null
  identity: string
  mark: CopyMark
  /** By which others inside the app reach it. */
  names: string[]
  createdMs: number
  /** True when nobody has ended it. */
  endedByItself: boolean
  /** What each port answers with; the key null listens everywhere. */
  listening: Map<number | null, Listener>
  /** Connections from outside that last; each settles at its end. */
  held: Set<Promise<void>>
  /** By path: the plan's, and what was copied in. */
  files: Map<string, MemoryFile>
  /** Settles when it ends the next time, though it may be started again. */
  nextEnd(): Promise<ExitCode>
  /** Settles when it has ended for good. */
  ended: Promise<ExitCode>
  /** From now on it is restarted when it ends, as its policy says. */
  keep(): void
  /** Settles when it runs no more. */
  halt(reason: 'stopped' | 'killed'): Promise<void>
  /** Runs it again after an end. */
  resume(): void
}

export interface CopyInput {
  owner: Owner
  release: string
  kind: ProcessKind
  /** Of the journal; a copy of a type has none. */
  operation?: string
  plan: ProcessPlan
  /** That of its rule; its type's own when absent. */
  identity?: string
  command: string[]
  terminal: Terminal | null
  /** Known from the start. */
  names?: string[]
  log: MemoryLog
  reach: NonNullable<ScriptHost['reach']>
  /** Hears that the process may have changed. */
  changed: () => void
}

/** Starts one; it runs when this returns. */
export function startCopy(input: CopyInput): MemoryCopy {
  const running = describe(input)
  const listening: MemoryCopy['listening'] = new Map()
  const files = plannedFiles(input.plan.files)
  let stop = new AbortController()
  let isKept = false
  let nextEnd = Promise.withResolvers<ExitCode>()

  const runOnce = async (): Promise<ExitCode> => {
    listening.clear()
    running.status = isKept || input.kind !== 'process' ? 'running' : 'starting'
    input.changed()
    const host = scriptHost(input, running, { listening, files })
    const code = await runScript(input.command, host, stop.signal)
    await host.end()
    listening.clear()
    return code
  }

  const ended = (code: ExitCode): ExitCode => {
    end(running, code)
    input.changed()
    return code
  }

  const supervise = async (): Promise<ExitCode> => {
    for (;;) {
      const code = await runOnce()
      running.exitCode = code
      nextEnd.resolve(code)
      nextEnd = Promise.withResolvers()
      copy.endedByItself = !stop.signal.aborted
      if (stop.signal.aborted || !isKept || !restarts(input.plan, code)) return ended(code)
      running.restarts++
      running.status = 'restarting'
      running.detail = `crashed (${code}) ×${running.restarts}`
      input.changed()
      await aside(Math.min(1000, 5 * 2 ** running.restarts), stop.signal)
      if (stop.signal.aborted) return ended(code)
    }
  }

  const copy: MemoryCopy = {
    process: running,
    plan: input.plan,
    operation: input.operation ?? null,
    identity: input.identity ?? copyIdentity(input.plan),
    mark: input.kind === 'process' ? 'unproved' : 'proved',
    names: input.names ?? [],
    createdMs: Date.now(),
    endedByItself: false,
    listening,
    held: new Set(),
    files,
    nextEnd: () => nextEnd.promise,
    ended: supervise(),
    keep() {
      isKept = true
      if (running.exitCode === null) running.status = 'running'
      copy.mark = 'proved'
      input.changed()
    },
    async halt(reason) {
      stop.abort(reason)
      await copy.ended
    },
    resume() {
      stop = new AbortController()
      running.exitCode = null
      running.ended = null
      running.detail = null
      isKept = copy.mark === 'proved'
      copy.ended = supervise()
    },
  }
  return copy
}

function end(running: Process, code: ExitCode): void {
  running.status = code === 0 ? 'completed' : 'crashed'
  running.detail = code === 0 ? null : `crashed (${code})`
  running.ended = new Date().toISOString()
}

const restarts = ({ restart }: ProcessPlan, code: ExitCode) =>
  restart === 'always' || (restart === 'on-failure' && code !== 0)

/** The wait holds no program open: a crash loop goes on only as long as something else runs. */
async function aside(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, ms).unref()
  signal.addEventListener('abort', () => resolve(), { once: true })
  await promise
  clearTimeout(timer)
}

function describe({ owner, release, kind, plan, command }: CopyInput): Process {
  return {
    id: makeId('P', randomBytes),
    owner,
    type: plan.type,
    kind,
    status: 'starting',
    detail: null,
    release,
    started: new Date().toISOString(),
    ended: null,
    command,
    address: null,
    exitCode: null,
    restarts: 0,
    outOfMemory: 0,
    cpuUnits: plan.cpuUnits,
    memoryBytes: plan.memoryBytes,
    cpuPercent: null,
    memoryPercent: null,
  }
}

function scriptHost(
  input: CopyInput,
  running: Process,
  { listening, files }: Pick<MemoryCopy, 'listening' | 'files'>,
) {
  const splitters = { stdout: createLineSplitter(), stderr: createLineSplitter() }
  const record = (stream: 'stdout' | 'stderr', texts: string[]) => {
    const { owner, release, type } = running
    for (const text of texts) input.log.append({ owner, release, type, process: running.id, stream, text })
  }
  return {
    environment: input.plan.environment,
    files,
    input: input.terminal?.input ?? null,
    reach: input.reach,
    async output(stream: 'stdout' | 'stderr', bytes: Uint8Array) {
      record(stream, splitters[stream].push(bytes))
      await input.terminal?.output(stream, bytes)
    },
    listen: (port: number | null, listener: Listener) => void listening.set(port, listener),
    async end() {
      for (const stream of ['stdout', 'stderr'] as const) record(stream, splitters[stream].end())
    },
  }
}
