import { randomBytes } from 'node:crypto'
import { makeId } from '../../src/domain/id.ts'
import { copyIdentity } from '../../src/domain/copy-identity.ts'
import type { ProcessPlan } from '../../src/domain/plan.ts'
import type { ExitCode, Process, ProcessKind } from '../../src/domain/process.ts'
import type { Terminal } from '../../src/domain/terminal.ts'
import { createLineSplitter } from '../../src/lib/lines.ts'
import { plannedFiles, type MemoryFile } from './memory-files.ts'
import type { MemoryLog } from './memory-log.ts'
import { runScript } from './memory-script.ts'

/** One process of the in-memory engine. */
export interface MemoryCopy {
  process: Process
  plan: ProcessPlan
  identity: string
  /** Port → HTTP status; the key null listens everywhere. */
  listening: Map<number | null, number>
  /** By path: the plan's, and what was copied in. */
  files: Map<string, MemoryFile>
  /** Settles when it has ended for good. */
  ended: Promise<ExitCode>
  /** From now on it is restarted when it ends, as its policy says. */
  keep(): void
  /** Settles when it runs no more. */
  halt(reason: 'stopped' | 'killed'): Promise<void>
  /** Runs it again after a halt. */
  resume(): void
}

export interface CopyInput {
  app: string
  release: string
  kind: ProcessKind
  plan: ProcessPlan
  /** That of its rule; its type's own when absent. */
  identity?: string
  command: string[]
  terminal: Terminal | null
  log: MemoryLog
}

/** Starts one; it runs when this returns. */
export function startCopy(input: CopyInput): MemoryCopy {
  const process = describe(input)
  const listening: MemoryCopy['listening'] = new Map()
  const files = plannedFiles(input.plan.files)
  let stop = new AbortController()
  let isKept = false

  const runOnce = async (): Promise<ExitCode> => {
    listening.clear()
    process.status = isKept || input.kind !== 'process' ? 'running' : 'starting'
    const host = scriptHost(input, process, { listening, files })
    const code = await runScript(input.command, host, stop.signal)
    await host.end()
    listening.clear()
    return code
  }

  const supervise = async (): Promise<ExitCode> => {
    for (;;) {
      const code = await runOnce()
      process.exitCode = code
      if (stop.signal.aborted || !isKept || !restarts(input.plan, code)) return end(process, code)
      process.restarts++
      process.status = 'restarting'
      process.detail = `crashed (${code}) ×${process.restarts}`
      await aside(Math.min(1000, 5 * 2 ** process.restarts), stop.signal)
      if (stop.signal.aborted) return end(process, code)
    }
  }

  const copy: MemoryCopy = {
    process,
    plan: input.plan,
    identity: input.identity ?? copyIdentity(input.plan),
    listening,
    files,
    ended: supervise(),
    keep() {
      isKept = true
      if (process.exitCode === null) process.status = 'running'
    },
    async halt(reason) {
      stop.abort(reason)
      await copy.ended
    },
    resume() {
      stop = new AbortController()
      process.exitCode = null
      copy.ended = supervise()
    },
  }
  return copy
}

function end(process: Process, code: ExitCode): ExitCode {
  process.status = code === 0 ? 'completed' : 'crashed'
  return code
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

function describe({ app, release, kind, plan, command }: CopyInput): Process {
  return {
    id: makeId('P', randomBytes),
    app,
    type: plan.type,
    kind,
    status: 'starting',
    detail: null,
    release,
    started: new Date().toISOString(),
    command,
    address: null,
    exitCode: null,
    restarts: 0,
    cpuUnits: plan.cpuUnits,
    memoryBytes: plan.memoryBytes,
    cpuPercent: null,
    memoryPercent: null,
  }
}

function scriptHost(
  input: CopyInput,
  process: Process,
  { listening, files }: Pick<MemoryCopy, 'listening' | 'files'>,
) {
  const splitters = { stdout: createLineSplitter(), stderr: createLineSplitter() }
  const record = (stream: 'stdout' | 'stderr', texts: string[]) => {
    const { app, release, type } = { ...process, app: input.app }
    for (const text of texts) input.log.append({ app, release, type, process: process.id, stream, text })
  }
  return {
    environment: input.plan.environment,
    files,
    input: input.terminal?.input ?? null,
    async output(stream: 'stdout' | 'stderr', bytes: Uint8Array) {
      record(stream, splitters[stream].push(bytes))
      await input.terminal?.output(stream, bytes)
    },
    listen: (port: number | null, status: number) => void listening.set(port, status),
    async end() {
      for (const stream of ['stdout', 'stderr'] as const) record(stream, splitters[stream].end())
    },
  }
}
