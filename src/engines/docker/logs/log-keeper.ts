import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { LogLine, LogQuery } from '../../../domain/engine.ts'
import { RackError } from '../../../domain/error.ts'
import { isSameOwner, ownerKey, readOwnerKey, type Owner } from '../../../domain/owner.ts'
import type { LogBudget } from '../../../domain/parameter.ts'
import { abortable } from '../../../lib/deadline.ts'
import { until } from '../../../lib/poll.ts'
import type { DockerClient } from '../client.ts'
import { inspectCopy } from '../containers/found-copy.ts'
import { isNotFound } from '../errors.ts'
import { noticeBatch } from './batch.ts'
import { copyRest, followLog, type LogSource } from './copy-log.ts'
import { openLogWriter, type LogWriter } from './log-writer.ts'
import { readLogs } from './read-logs.ts'
import { filesIn } from './segment.ts'
import { startStall, StallError } from './stall.ts'
import { openTypeLog, type TypeLog } from './type-log.ts'

type Signalled = { signal: AbortSignal }

/**
 * Copies the logs of containers into files of the rack's own, so that they outlive the container and Docker's
 * absence. Goes on exactly where it ended, without loss or repeat, after a restart of either; what cannot be kept is
 * told by a line in the log.
 */
export interface LogKeeper {
  /** Begins, or goes on, copying. Safe to repeat. */
  follow(source: LogSource): void
  /** Settles when the log of an ended container is copied to its end, or says that its end is missing. */
  finish(source: LogSource, control: Signalled): Promise<void>
  read(query: LogQuery, control: Signalled): AsyncIterable<LogLine>
  /** Drops the logs of an app or a service; nothing is copied into them any more. */
  remove(owner: Owner): Promise<void>
  /** Who has logs. */
  owners(): Promise<Owner[]>
  /** Stops copying; what was not copied is when somebody follows again. */
  close(): Promise<void>
}

export interface LogKeeperOptions {
  docker: DockerClient
  directory: string
  /** How much is kept; asked each time a file is full. */
  budget: () => LogBudget
  /** Hears why the copying of a log ended early. */
  onTrouble: (error: unknown) => void
  /** How long an ended container's log is read to its end: without a byte, and in all. */
  endBounds?: { silenceMs: number; longestMs: number }
  /** How often what is too old is dropped. */
  pruneEveryMs?: number
}

const retryMs = 1000
const defaultPruneEveryMs = 600_000
const defaultEndBounds = { silenceMs: 15_000, longestMs: 120_000 }

/** Opens the logs kept in a directory. */
export function createLogKeeper(options: LogKeeperOptions): LogKeeper {
  return new FileLogKeeper(options)
}

interface Follower {
  source: LogSource
  ended: Promise<void>
  stopping: AbortController
  /** Called for every part of the log that is in its file. */
  onProgress: () => void
}

class FileLogKeeper implements LogKeeper {
  readonly #options: LogKeeperOptions
  readonly #writer: LogWriter
  readonly #logs = new Map<string, TypeLog>()
  readonly #followers = new Map<string, Follower>()
  readonly #closing = new AbortController()
  readonly #pruning: NodeJS.Timeout

  constructor(options: LogKeeperOptions) {
    this.#options = options
    const { directory, budget, onTrouble, pruneEveryMs = defaultPruneEveryMs } = options
    this.#writer = openLogWriter({ directory, budget, onTrouble })
    this.#pruning = setInterval(() => void this.#prune().catch(onTrouble), pruneEveryMs).unref()
  }

  follow(source: LogSource): void {
    if (this.#followers.has(source.container) || this.#closing.signal.aborted) return
    const stopping = new AbortController()
    const follower: Follower = { source, stopping, ended: Promise.resolve(), onProgress: () => undefined }
    this.#followers.set(source.container, follower)
    follower.ended = this.#followUntilEnd(follower).finally(() => this.#followers.delete(source.container))
  }

  async finish(source: LogSource, { signal }: Signalled): Promise<void> {
    const follower = this.#followers.get(source.container)
    const log = this.#logOf(source.owner, source.type)
    using stall = startStall({ ...(this.#options.endBounds ?? defaultEndBounds), signal })
    if (follower) follower.onProgress = stall.progress
    try {
      await abortable(follower?.ended ?? Promise.resolve(), stall.signal)
      await this.#copy(copyRest, source, { signal: stall.signal, onProgress: stall.progress })
    } catch (error) {
      const reason: unknown = stall.signal.aborted ? stall.signal.reason : error
      if (!(reason instanceof StallError) && !isNotFound(reason)) throw reason
      follower?.stopping.abort()
      if (reason instanceof StallError) this.#tellMissingEnd(source, reason)
    }
    log.forget(source.process)
  }

  async *read(query: LogQuery, control: Signalled): AsyncGenerator<LogLine> {
    await this.#writer.start()
    await this.#loadLogs(query.owner)
    // A full disk keeps what it has taken: that can be read.
    await this.#writer.flush()
    const isAsked = ({ owner, type }: TypeLog) =>
      (!query.owner || isSameOwner(owner, query.owner)) && (!query.types || query.types.includes(type))
    const logs = () => [...this.#logs.values()].filter(isAsked)
    yield* readLogs({ writer: this.#writer, logs }, query, control)
  }

  async remove(owner: Owner): Promise<void> {
    const followers = [...this.#followers.values()].filter(({ source }) => isSameOwner(source.owner, owner))
    for (const { stopping } of followers) stopping.abort()
    await Promise.all(followers.map(({ ended }) => ended))
    const logs = this.#logsOf(owner)
    for (const log of logs) {
      log.discard()
      this.#logs.delete(keyOf(log))
    }
    await this.#writer.release(logs)
    await rm(this.#directoryOf(owner), { recursive: true, force: true })
  }

  async owners(): Promise<Owner[]> {
    const names = await filesIn(this.#options.directory)
    return names.filter((name) => !name.startsWith('.')).map(readOwnerKey)
  }

  async close(): Promise<void> {
    clearInterval(this.#pruning)
    this.#closing.abort()
    await Promise.all([...this.#followers.values()].map(({ ended }) => ended))
    await this.#writer.close()
  }

  #directoryOf(owner: Owner): string {
    return join(this.#options.directory, ownerKey(owner))
  }

  #logOf(owner: Owner, type: string): TypeLog {
    const known = this.#logs.get(keyOf({ owner, type }))
    if (known) return known
    const log = openTypeLog({ directory: join(this.#directoryOf(owner), type), owner, type })
    this.#logs.set(keyOf(log), log)
    return log
  }

  #logsOf(owner: Owner): TypeLog[] {
    return [...this.#logs.values()].filter((log) => isSameOwner(log.owner, owner))
  }

  /** Makes known what lies on the disk, of one owner or of all. */
  async #loadLogs(owner?: Owner): Promise<void> {
    for (const each of owner ? [owner] : await this.owners()) {
      const types = await filesIn(this.#directoryOf(each))
      await Promise.all(types.map((type) => this.#load(this.#logOf(each, type))))
    }
  }

  async #load(log: TypeLog): Promise<void> {
    await log.load()
    this.#writer.raise(log.kept().last)
  }

  async #prune(): Promise<void> {
    const budget = this.#options.budget()
    await this.#loadLogs()
    for (const log of this.#logs.values()) await log.prune(budget, Date.now())
  }

  /**
   * A container that is restarted gets a new stream each time; this ends when it is gone or has ended for good. An
   * engine that is away, or a disk that is full, is waited for: it begins anew behind the last line kept.
   */
  async #followUntilEnd(follower: Follower): Promise<void> {
    const { source, stopping } = follower
    const signal = AbortSignal.any([this.#closing.signal, stopping.signal])
    let told: unknown = null
    while (!signal.aborted) {
      try {
        do await this.#copy(followLog, source, { signal, onProgress: () => follower.onProgress() })
        while (await this.#runsAgain(source, { signal }))
        return
      } catch (error) {
        if (signal.aborted) return
        const code = error instanceof RackError ? error.code : error
        if (code !== told) this.#options.onTrouble(error)
        told = code
      }
      await pause(retryMs, undefined, { signal }).catch(() => undefined)
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
    copy: typeof copyRest,
    source: LogSource,
    control: Parameters<typeof copyRest>[2],
  ): Promise<void> {
    const log = this.#logOf(source.owner, source.type)
    await copy(source, { docker: this.#options.docker, writer: this.#writer, log }, control)
  }

  /** Waits for room on the disk, but keeps nobody waiting: the container goes. */
  #tellMissingEnd(source: LogSource, reason: StallError): void {
    const text = `… the end of the log of this process is missing: ${reason.message}`
    this.#options.onTrouble(
      new RackError('timeout', `${source.process}: ${text.slice(2)}`, { cause: reason }),
    )
    const log = this.#logOf(source.owner, source.type)
    const notice = noticeBatch(source, dockerTime(new Date()), text)
    void this.#appendPatiently(log, notice)
  }

  async #appendPatiently(log: TypeLog, notice: ReturnType<typeof noticeBatch>): Promise<void> {
    const { signal } = this.#closing
    while (!signal.aborted) {
      try {
        await this.#writer.append(log, notice)
        return
      } catch (error) {
        if (!(error instanceof RackError) || error.code !== 'disk-full') return this.#options.onTrouble(error)
      }
      await pause(retryMs, undefined, { signal }).catch(() => undefined)
    }
  }
}

function keyOf({ owner, type }: Pick<TypeLog, 'owner' | 'type'>): string {
  return `${ownerKey(owner)}/${type}`
}

/** With as many digits as Docker writes, so that times compare as text. */
function dockerTime(date: Date): string {
  return date.toISOString().replace('Z', '000000Z')
}
