import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { LogLine, LogQuery } from '../../../domain/engine.ts'
import { RackError } from '../../../domain/error.ts'
import { until } from '../../../lib/poll.ts'
import { DeadlineError, withDeadline } from '../../../lib/deadline.ts'
import type { DockerClient } from '../client.ts'
import { isNotFound } from '../errors.ts'
import { inspectCopy } from '../containers/found-copy.ts'
import { readTimedLines } from './frames.ts'
import { mergeLines, withTail } from './read-logs.ts'
import { openTypeLog, type Position, type TypeLog } from './type-log.ts'

type Signalled = { signal: AbortSignal }

/** Whose log is copied. */
export interface LogSource {
  app: string
  type: string
  process: string
  release: string
  container: string
}

/**
 * Copies the logs of containers into files of the rack's own, so that they outlive the container and Docker's
 * absence. Goes on exactly where it ended, without loss or repeat, after a restart of either.
 */
export interface LogKeeper {
  /** Begins, or goes on, copying. Safe to repeat. */
  follow(source: LogSource): void
  /** Settles when the log of an ended container is copied to its end. */
  finish(source: LogSource, control: Signalled): Promise<void>
  read(query: LogQuery, control: Signalled): AsyncIterable<LogLine>
  /** Drops the logs of an app. */
  remove(app: string): Promise<void>
  /** Apps that have logs. */
  apps(): Promise<string[]>
  /** Stops copying; what was not copied is when somebody follows again. */
  close(): Promise<void>
}

const finishDeadlineMs = 15_000
const retryMs = 1000

export interface LogKeeperOptions {
  docker: DockerClient
  directory: string
  maxBytesPerType: number
  /** Hears why the copying of a log ended early. */
  onTrouble: (error: unknown) => void
}

/** Opens the logs kept in a directory. */
export function createLogKeeper(options: LogKeeperOptions): LogKeeper {
  return new FileLogKeeper(options)
}

class FileLogKeeper implements LogKeeper {
  readonly #options: LogKeeperOptions
  readonly #logs = new Map<string, TypeLog>()
  readonly #followers = new Map<string, Promise<void>>()
  readonly #newTypes = new Set<(app: string, log: TypeLog) => void>()
  readonly #closing = new AbortController()

  constructor(options: LogKeeperOptions) {
    this.#options = options
  }

  follow(source: LogSource): void {
    if (this.#followers.has(source.container) || this.#closing.signal.aborted) return
    const following = this.#followUntilEnd(source).finally(() => this.#followers.delete(source.container))
    this.#followers.set(source.container, following)
  }

  async finish(source: LogSource, control: Signalled): Promise<void> {
    const log = this.#logOf(source.app, source.type)
    const wait = { deadlineMs: finishDeadlineMs, what: `the end of the log of ${source.process}`, ...control }
    try {
      await withDeadline(wait, async (signal) => {
        await this.#followers.get(source.container)
        await this.#copy(source, { follow: false, signal })
      })
    } catch (error) {
      if (!isNotFound(error) && !(error instanceof DeadlineError)) throw error
    }
    log.forget(source.process)
  }

  async *read(query: LogQuery, { signal }: Signalled): AsyncGenerator<LogLine> {
    const heard = createLineQueue(signal)
    const wants = matcher(query)
    const listen = query.follow ? (line: LogLine) => wants(line) && heard.push(line) : undefined
    const stops: (() => void)[] = []
    const addType = (app: string, log: TypeLog) => {
      if (app === query.app && listen) stops.push(log.listen(listen))
    }
    try {
      const types = await this.#typesOf(query)
      // From here on without a wait until each has been asked: a type that is new later is told of.
      if (query.follow) this.#newTypes.add(addType)
      const logs = this.#logsOf(query.app, types)
      const readers = await Promise.all(logs.map((log) => log.read(listen)))
      stops.push(...readers.map((reader) => () => reader.stop()))
      const kept = mergeLines(readers.map(({ lines }) => lines))
      for await (const line of withTail(filterLines(kept, wants), query.tail)) {
        if (signal.aborted) return
        yield line
      }
      if (query.follow) yield* heard.lines()
    } finally {
      this.#newTypes.delete(addType)
      for (const stop of stops) stop()
    }
  }

  async remove(app: string): Promise<void> {
    for (const key of this.#logs.keys()) if (key.startsWith(`${app}/`)) this.#logs.delete(key)
    await rm(join(this.#options.directory, app), { recursive: true, force: true })
  }

  async apps(): Promise<string[]> {
    return await listDirectory(this.#options.directory)
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await Promise.allSettled(this.#followers.values())
  }

  #logOf(app: string, type: string): TypeLog {
    const key = `${app}/${type}`
    const known = this.#logs.get(key)
    if (known) return known
    const { directory, maxBytesPerType: maxBytes } = this.#options
    const log = openTypeLog({ path: join(directory, app, `${type}.log`), app, type, maxBytes })
    this.#logs.set(key, log)
    for (const listener of this.#newTypes) listener(app, log)
    return log
  }

  #logsOf(app: string, types: string[]): TypeLog[] {
    return types.map((type) => this.#logOf(app, type))
  }

  async #typesOf({ app, types }: LogQuery): Promise<string[]> {
    const files = await listDirectory(join(this.#options.directory, app))
    const onDisk = files.filter((file) => file.endsWith('.log')).map((file) => file.slice(0, -'.log'.length))
    const open = [...this.#logs.keys()]
      .filter((key) => key.startsWith(`${app}/`))
      .map((key) => key.slice(app.length + 1))
    const all = [...new Set([...onDisk, ...open])].sort()
    return types ? all.filter((type) => types.includes(type)) : all
  }

  /**
   * A container that is restarted gets a new stream each time; this ends when it is gone or has ended for good. An
   * engine that is away, or a disk that is full, is waited for: it begins anew behind the last line kept.
   */
  async #followUntilEnd(source: LogSource): Promise<void> {
    const control = { signal: this.#closing.signal }
    let told: unknown = null
    while (!control.signal.aborted) {
      try {
        do await this.#copy(source, { follow: true, ...control })
        while (await this.#runsAgain(source, control))
        return
      } catch (error) {
        if (control.signal.aborted) return
        const code = error instanceof RackError ? error.code : error
        if (code !== told) this.#options.onTrouble(error)
        told = code
      }
      await pause(retryMs, undefined, control).catch(() => undefined)
    }
  }

  async #runsAgain(source: LogSource, control: Signalled): Promise<boolean> {
    const look = async () => {
      const found = await inspectCopy(this.#options.docker, source.container, control)
      if (found?.state === 'running' || found?.state === 'paused') return 'running'
      return found?.state === 'restarting' ? null : 'ended'
    }
    // Docker waits up to a minute between the restarts of a crash loop.
    const wait = { deadlineMs: 300_000, intervalMs: 500, what: 'a restart', signal: control.signal }
    return (await until(look, wait)) === 'running'
  }

  async #copy(
    source: LogSource,
    { follow, signal }: { follow: boolean; signal: AbortSignal },
  ): Promise<void> {
    const { docker } = this.#options
    const log = this.#logOf(source.app, source.type)
    const position = await log.position(source.process)
    const found = await inspectCopy(docker, source.container, { signal })
    if (!found) return
    const query = {
      stdout: true,
      stderr: true,
      timestamps: true,
      follow,
      since: position ? unixTime(position.time) : undefined,
    }
    const stream = await docker.stream({ path: `/containers/${source.container}/logs`, query }, { signal })
    const { app, type, process, release } = source
    const isNew = newerThan(position)
    try {
      for await (const { time, stream: from, text } of readTimedLines(stream, found.isTty)) {
        if (isNew(time)) await log.append([{ time, app, type, process, release, stream: from, text }])
      }
    } catch (error) {
      if (error instanceof RackError) throw error
      throw new RackError('engine-unavailable', `the log of ${process} broke off`, { cause: error })
    }
  }
}

/** Docker repeats the lines of the time that is asked for: as many as are kept already are passed over. */
function newerThan(position: Position | null): (time: string) => boolean {
  let seen = 0
  return (time) => {
    if (!position || time > position.time) return true
    if (time < position.time) return false
    seen++
    return seen > position.count
  }
}

/** RFC 3339 with nanoseconds as the seconds that Docker takes. */
function unixTime(time: string): string {
  const [whole = '', fraction = '0'] = time.replace('Z', '').split('.')
  return `${Date.parse(`${whole}Z`) / 1000}.${fraction.padEnd(9, '0')}`
}

function matcher({ process, since, types }: LogQuery): (line: LogLine) => boolean {
  const from = since === undefined ? null : comparableTime(since)
  return (line) =>
    (process === undefined || line.process === process) &&
    (types === undefined || types.includes(line.type)) &&
    (from === null || comparableTime(line.time) >= from)
}

/** Times with different numbers of digits compare as text when the fraction is padded. */
function comparableTime(time: string): string {
  const date = new Date(time)
  if (Number.isNaN(date.getTime()))
    throw new RackError('invalid', `"${time}" is no time`, { hint: 'Use RFC 3339.' })
  const fraction = /\.(\d+)/.exec(time)?.[1] ?? ''
  return `${date.toISOString().slice(0, 19)}.${fraction.padEnd(9, '0').slice(0, 9)}`
}

async function* filterLines(source: AsyncIterable<LogLine>, wants: (line: LogLine) => boolean) {
  for await (const line of source) if (wants(line)) yield line
}

/** A reader that is slower than what it follows loses the oldest lines beyond this. */
const longestQueue = 10_000

function createLineQueue(signal: AbortSignal) {
  const waiting: LogLine[] = []
  let wake = Promise.withResolvers<void>()
  const end = () => wake.resolve()
  signal.addEventListener('abort', end, { once: true })
  return {
    push(line: LogLine) {
      if (waiting.length >= longestQueue) waiting.shift()
      waiting.push(line)
      wake.resolve()
    },
    async *lines(): AsyncGenerator<LogLine> {
      try {
        while (!signal.aborted) {
          await wake.promise
          wake = Promise.withResolvers<void>()
          if (signal.aborted) return
          while (waiting.length > 0) yield waiting.shift()!
        }
      } finally {
        signal.removeEventListener('abort', end)
      }
    },
  }
}

async function listDirectory(path: string): Promise<string[]> {
  try {
    return await readdir(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}
