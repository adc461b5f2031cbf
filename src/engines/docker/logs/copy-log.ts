import { RackError } from '../../../domain/error.ts'
import type { Owner } from '../../../domain/owner.ts'
import type { DockerClient } from '../client.ts'
import { inspectCopy } from '../containers/found-copy.ts'
import { createBatchBuilder, noticeBatch, type Batch, type Position } from './batch.ts'
import { createLineCutter, type RawLine } from './frames.ts'
import type { CopyRun, LogWriter } from './log-writer.ts'
import { openLogStream } from './open-log-stream.ts'
import type { TypeLog } from './type-log.ts'

/** Whose log is copied. */
export interface LogSource {
  owner: Owner
  type: string
  process: string
  release: string
  container: string
}

export interface CopyOptions {
  docker: DockerClient
  writer: LogWriter
  log: TypeLog
}

type Watched = { signal: AbortSignal; onProgress: () => void }

/** Bytes of one process that may wait to be written; Docker's stream is not read on while there are more. */
const mostWaitingBytes = 256 * 1024
/** Docker finds the newest lines from the end of its file, and all others by reading it whole. */
const lastLines = 1000

/**
 * Copies what Docker has of a container's log behind the last line kept, until the container ends. Docker is read no
 * faster than the disk takes it. Settles when all that was read is in the file.
 */
export async function followLog(source: LogSource, options: CopyOptions, control: Watched): Promise<void> {
  await copyLog(source, options, { follow: true }, control)
}

/** The same for a container that has ended, most of whose log is kept already as a rule. */
export async function copyRest(source: LogSource, options: CopyOptions, control: Watched): Promise<void> {
  const isWhole = await copyLog(source, options, { follow: false, tail: lastLines }, control)
  if (!isWhole) await copyLog(source, options, { follow: false }, control)
}

/** @returns false when the newest lines alone do not reach back to what is kept: nothing was copied then */
async function copyLog(
  source: LogSource,
  { docker, writer, log }: CopyOptions,
  what: { follow: boolean; tail?: number },
  { signal, onProgress }: Watched,
): Promise<boolean> {
  await log.load()
  const position = log.position(source.process)
  const found = await inspectCopy(docker, source.container, { signal })
  if (!found) return true
  // Without a time: a line before the position is the proof that all behind it are there.
  const since = position && what.tail === undefined ? unixTime(position.time) : undefined
  if (!position && what.tail !== undefined) return false
  const stream = await openLogStream(docker, { container: source.container, ...what, since }, { signal })
  const builder = createBatchBuilder(source)
  const run: CopyRun = { hasFailed: false }
  const outgoing = createOutgoing(run, async (batch) => {
    await writer.append(log, batch, run)
    onProgress()
  })
  const sieve = position ? createSieve(position, what.tail !== undefined) : null
  const cutter = createLineCutter(found.isTty, (line) => {
    const { isNew, gapUntil } = sieve?.(line) ?? everything
    if (gapUntil) outgoing.send(gapNotice(source, position!.time, gapUntil))
    if (isNew) builder.add(line)
  })
  try {
    for await (const chunk of stream) {
      cutter.push(chunk)
      if (sieve?.isUseless()) return false
      outgoing.send(builder.take())
      await outgoing.ready()
    }
    // A connection that ends says not whether the log did: with Docker away, what it cut in two comes again.
    await inspectCopy(docker, source.container, { signal })
    cutter.end()
    outgoing.send(builder.take())
  } catch (error) {
    throw brokenOff(source, error)
  } finally {
    await outgoing.settled()
  }
  await outgoing.ready()
  return true
}

/** Batches on their way to the file, in order. */
function createOutgoing(run: CopyRun, append: (batch: Batch) => Promise<void>) {
  const waiting = new Set<Promise<void>>()
  let bytes = 0
  let failure: unknown = null
  const carry = async (batch: Batch) => {
    try {
      await append(batch)
    } catch (error) {
      failure ??= error
    }
    bytes -= batch.bytes.length
  }
  return {
    send(batch: Batch | null): void {
      // After a failure the rest would leave a hole: the copying begins anew behind what is kept.
      if (!batch || run.hasFailed) return
      bytes += batch.bytes.length
      const carried = carry(batch).finally(() => waiting.delete(carried))
      waiting.add(carried)
    },
    /** Settles when more may be sent. @throws what kept a batch from its file */
    async ready(): Promise<void> {
      for (;;) {
        if (failure !== null) throw failure as Error
        if (bytes <= mostWaitingBytes) return
        await Promise.race(waiting)
      }
    },
    async settled(): Promise<void> {
      await Promise.all(waiting)
    },
  }
}

interface Sifted {
  isNew: boolean
  /** Of the first line behind lines that are missing: its time. */
  gapUntil?: string
}

type Sieve = ((line: RawLine) => Sifted) & { isUseless(): boolean }

const everything: Sifted = { isNew: true }
const nothing: Sifted = { isNew: false }

/**
 * Docker repeats the lines of the time that is asked for: as many as are kept already are passed over. Where it has
 * none of them, it has dropped them, and what came between.
 *
 * @param isTail the newest lines were asked for, which are of use when they begin before the position
 */
function createSieve(position: Position, isTail: boolean): Sieve {
  let [seen, isBehind, isBefore] = [0, false, !isTail]
  let isUseless = false
  const sieve = (line: RawLine): Sifted => {
    if (isBehind) return everything
    const time = line.time.toString('latin1')
    if (time < position.time) isBefore = true
    if (!isBefore) isUseless = true
    if (isUseless || time < position.time) return nothing
    if (time === position.time) return ++seen <= position.count ? nothing : everything
    isBehind = true
    return seen === 0 && !isTail ? { isNew: true, gapUntil: time } : everything
  }
  return Object.assign(sieve, { isUseless: () => isUseless })
}

function gapNotice(source: LogSource, from: string, until: string): Batch {
  const text = `… lines between ${from} and ${until} are missing here: Docker had dropped them before they were read`
  return noticeBatch(source, until, text)
}

function brokenOff({ process: processId }: LogSource, error: unknown): RackError {
  if (error instanceof RackError) return error
  return new RackError('engine-unavailable', `the log of ${processId} broke off`, { cause: error })
}

/** RFC 3339 with nanoseconds as the seconds that Docker takes. */
function unixTime(time: string): string {
  const [whole = '', fraction = '0'] = time.replace('Z', '').split('.')
  return `${Date.parse(`${whole}Z`) / 1000}.${fraction.padEnd(9, '0')}`
}
