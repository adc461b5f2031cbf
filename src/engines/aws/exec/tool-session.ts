import { RackError } from '../../../domain/error.ts'
import type { AwsParts } from '../parts.ts'
import { pause } from '../../../lib/poll.ts'
import { openDataChannel, type DataChannel } from './data-channel.ts'
import { executeCommand, type Place } from './execute-command.ts'
import { toolError, toolLines, toolWords, type ToolLine } from './tool-lines.ts'

/** What goes into a verb of the tool, and where what comes out goes. */
export interface Conversation {
  /** The tool's first argument. */
  verb: string
  /** As JSON; what it means is the verb's. */
  order: unknown
  input: AsyncIterable<Uint8Array> | null
  output(stream: 'stdout' | 'stderr', chunk: Uint8Array): Promise<void>
  /** Calls back with each new size. */
  onResize?(listener: (size: { rows: number; columns: number }) => void): void
  /** Hears that the tool has its order. */
  onStarted?(): void
}

/** The tool takes so much before it has read it, and gives as much before it is told that it was taken. */
const windowBytes = 64 * 1024
const pieceBytes = 8 * 1024
/** The tool ends what it runs when it hears nothing for 45 s. */
const hereMs = 10_000
const leaveMs = 3000

/** How long a place among the two sessions of a container is waited for: one that has ended is there for a while yet. */
const patienceMs = 10_000
const askAgainMs = 500

/**
 * Runs a verb of the tool in a container and gives its exit code.
 * @throws what the tool says that went wrong, by its code; conflict when the process does not run, or runs two already
 */
export async function converse(
  parts: Pick<AwsParts, 'clients' | 'places'>,
  place: Place,
  conversation: Conversation,
  control: { signal: AbortSignal },
): Promise<number> {
  const begun = performance.now()
  for (;;) {
    try {
      return await converseOnce(parts, place, conversation, control)
    } catch (error) {
      // Nothing of it was read or done.
      if (!(error instanceof NoPlaceError) || performance.now() - begun > patienceMs) throw error
      await pause(askAgainMs, control.signal)
    }
  }
}

/** @throws NoPlaceError before anything is sent */
async function converseOnce(
  parts: Pick<AwsParts, 'clients' | 'places'>,
  place: Place,
  conversation: Conversation,
  control: { signal: AbortSignal },
): Promise<number> {
  const session = await executeCommand(parts, place, conversation.verb, control)
  const channel = await openDataChannel(session, control)
  const leave = () => void takeLeave(channel)
  control.signal.addEventListener('abort', leave, { once: true })
  try {
    return await talk(channel, conversation)
  } catch (error) {
    control.signal.throwIfAborted()
    throw error
  } finally {
    control.signal.removeEventListener('abort', leave)
    await takeLeave(channel)
  }
}

/** The tool ends what it runs at once; a session that is only left would last until it misses its client. */
async function takeLeave(channel: DataChannel): Promise<void> {
  await send(channel, toolWords.bye())
  await channel.flushed(leaveMs)
  channel.close()
}

async function talk(channel: DataChannel, conversation: Conversation): Promise<number> {
  const window = createWindow()
  const lines = toolLines(channel.output)[Symbol.asyncIterator]()
  const beating = setInterval(() => void send(channel, toolWords.here()), hereMs)
  let typing: AsyncIterator<Uint8Array> | null = null
  try {
    await readyOf(lines, channel)
    // Not before: where there was no place, another session begins with all of it.
    typing = conversation.input?.[Symbol.asyncIterator]() ?? null
    await channel.send(Buffer.from(toolWords.order(conversation.order)))
    conversation.onStarted?.()
    conversation.onResize?.((size) => void send(channel, toolWords.size(size)))
    const typed = sendInput(typing, channel, window).then(() => new Promise<never>(() => {}))
    return await Promise.race([giveOutput(lines, channel, conversation, window), typed])
  } finally {
    clearInterval(beating)
    window.close()
    // Not waited for: who types nothing gives a last chunk never.
    void typing?.return?.()
  }
}

/** What cannot be sent any more is no loss: whoever reads hears of it. */
async function send(channel: DataChannel, text: string): Promise<void> {
  await channel.send(Buffer.from(text)).catch(() => undefined)
}

async function readyOf(lines: AsyncIterator<ToolLine>, channel: DataChannel): Promise<void> {
  for (;;) {
    const { done, value } = await lines.next()
    if (done) throw refusedError(channel)
    if (value.kind === 'ready') return
  }
}

/** Said before the tool has its order alone: who hears it may ask again. */
class NoPlaceError extends RackError {
  constructor() {
    super('conflict', 'two commands run in the process already, and ECS takes no third', {
      hint: 'End one of them, and try again.',
    })
  }
}

/** Of a session whose tool was not there yet: nothing has begun. */
function refusedError(channel: DataChannel): RackError {
  // The agent takes two sessions a container unless it is told another limit (aws.md 1.7).
  const hasNoPlace = /session limit|concurrent session/i.test(channel.lastWords())
  return hasNoPlace ? new NoPlaceError() : closedError(channel)
}

function closedError(channel: DataChannel): RackError {
  const words = channel.lastWords().trim()
  return new RackError('engine-failed', `the session of a command ended early: ${words || 'no word of why'}`)
}

async function giveOutput(
  lines: AsyncIterator<ToolLine>,
  channel: DataChannel,
  conversation: Conversation,
  window: Window,
): Promise<number> {
  for (;;) {
    const { done, value } = await lines.next()
    if (done) throw closedError(channel)
    switch (value.kind) {
      case 'output':
        await conversation.output(value.stream, value.bytes)
        await send(channel, toolWords.took(value.bytes.length))
        break
      case 'took':
        window.give(value.count)
        break
      case 'exit':
        return value.code
      case 'failed':
        throw toolError(value)
      case 'ready':
        break
    }
  }
}

async function sendInput(
  typing: AsyncIterator<Uint8Array> | null,
  channel: DataChannel,
  window: Window,
): Promise<void> {
  for (;;) {
    const next = typing ? await Promise.race([typing.next(), window.closed]) : null
    if (next === 'closed') return
    if (!next || next.done) break
    for (let at = 0; at < next.value.length; at += pieceBytes) {
      const piece = next.value.subarray(at, at + pieceBytes)
      if (!(await window.take(piece.length))) return
      await send(channel, toolWords.input(piece))
    }
  }
  await send(channel, toolWords.end())
}

interface Window {
  /** False when nothing is to be sent any more. */
  take(count: number): Promise<boolean>
  give(count: number): void
  close(): void
  closed: Promise<'closed'>
}

function createWindow(): Window {
  const { promise: closed, resolve } = Promise.withResolvers<'closed'>()
  let free = windowBytes
  let isClosed = false
  let wake = () => {}
  return {
    closed,
    async take(count) {
      for (;;) {
        if (isClosed) return false
        if (free >= count) break
        await new Promise<void>((resume) => (wake = resume))
      }
      free -= count
      return true
    },
    give(count) {
      free += count
      wake()
    },
    close() {
      isClosed = true
      resolve('closed')
      wake()
    },
  }
}
