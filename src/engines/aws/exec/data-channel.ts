import { randomUUID } from 'node:crypto'
import type { RawData, WebSocket } from 'ws'
import { RackError } from '../../../domain/error.ts'
import { abortable } from '../../../lib/deadline.ts'
import { createSemaphore } from '../../../lib/semaphore.ts'
import {
  acknowledgedBy,
  acknowledgementOf,
  decodeFrame,
  encodeFrame,
  payloadTypes,
  type Frame,
} from './frame.ts'
import { createSequence, createUnacknowledged } from './sequence.ts'

/** A byte stream in both directions to a program that the agent of ECS runs on a terminal. */
export interface DataChannel {
  /** Settles when more may follow. @throws engine-unavailable when the channel is lost */
  send(content: Uint8Array): Promise<void>
  /** Ends when the agent closes the channel. @throws engine-unavailable when it is lost */
  output: AsyncIterable<Buffer>
  /** What the agent said when it closed the channel; empty before. */
  lastWords(): string
  /** Settles when all that was sent has come, or the time is up. */
  flushed(ms: number): Promise<void>
  close(): void
}

/** As the agent and AWS's own client do it. */
const frameBytes = 1024
const resendMs = 1000
/** Messages that may be under way at once. */
const mostUnderWay = 64
const connectTimeoutMs = 30_000
const clientVersion = '1.2.0.0'

/** Opens the channel of a session that ExecuteCommand has given; settles when the agent has shaken hands. */
export async function openDataChannel(
  session: { streamUrl: string; tokenValue: string },
  { signal }: { signal: AbortSignal },
): Promise<DataChannel> {
  signal.throwIfAborted()
  const { WebSocket } = await import('ws')
  const socket = new WebSocket(session.streamUrl, {
    handshakeTimeout: connectTimeoutMs,
    perMessageDeflate: false,
  })
  const channel = createChannel(socket)
  socket.once('open', () => socket.send(openingOf(session.tokenValue)))
  try {
    await abortable(channel.isOpen, signal)
    return channel
  } catch (error) {
    channel.close()
    throw error
  }
}

/** The one message that is text. */
function openingOf(tokenValue: string): string {
  return JSON.stringify({
    MessageSchemaVersion: '1.0',
    RequestId: randomUUID(),
    TokenValue: tokenValue,
    ClientId: randomUUID(),
    ClientVersion: clientVersion,
  })
}

function createChannel(socket: WebSocket): DataChannel & { isOpen: Promise<void> } {
  const inbox = createInbox()
  const outbox = createOutbox(socket)
  const opening = Promise.withResolvers<void>()
  const turn = createSemaphore(1)
  let lastWords = ''
  const lost = (cause?: unknown) => {
    const error = new RackError('engine-unavailable', 'the session of a command was lost', { cause })
    opening.reject(error)
    outbox.end(error)
    inbox.end(error)
  }
  // Nobody may wait for it any more when it fails.
  opening.promise.catch(() => undefined)
  hear(socket, outbox, {
    open: opening.resolve,
    output: (content) => inbox.add(content),
    closed(words) {
      lastWords = words
      opening.resolve()
      inbox.end(null)
      socket.close()
    },
  })
  socket.once('error', lost)
  socket.once('close', () => lost())
  return {
    isOpen: opening.promise,
    output: inbox.content,
    lastWords: () => lastWords,
    async send(content) {
      // What one sends stays together, whoever else sends meanwhile.
      using _turn = await turn.acquire()
      for (let at = 0; at < content.length; at += frameBytes) {
        await outbox.room()
        const payload = Buffer.from(content.subarray(at, at + frameBytes))
        outbox.put({ payloadType: payloadTypes.output, payload })
      }
    },
    async flushed(ms) {
      await abortable(outbox.emptied(), AbortSignal.timeout(ms)).catch(() => undefined)
    },
    close() {
      lost()
      socket.terminate()
    },
  }
}

interface Heard {
  open(): void
  output(content: Buffer): void
  closed(words: string): void
}

/** Takes what the agent says apart; each message is acknowledged, and heard once and in its turn. */
function hear(socket: WebSocket, outbox: Outbox, on: Heard): void {
  const sequence = createSequence()
  const heard = (frame: Frame) => {
    if (frame.payloadType === payloadTypes.handshakeRequest) outbox.put(handshakeResponse(frame))
    else if (frame.payloadType === payloadTypes.handshakeComplete) on.open()
    else if (frame.payloadType === payloadTypes.output) {
      // An agent that knows no handshake begins to talk at once.
      on.open()
      on.output(frame.payload)
    }
  }
  socket.on('message', (data: RawData) => {
    const frame = decodeFrame(toBuffer(data))
    if (frame?.type === 'acknowledge') outbox.acknowledged(frame)
    if (frame?.type === 'channel_closed') on.closed(wordsOf(frame))
    if (frame?.type !== 'output_stream_data') return
    outbox.acknowledge(frame)
    for (const due of sequence.take(frame)) heard(due)
  })
}

function toBuffer(data: RawData): Buffer {
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data as Buffer)
}

function wordsOf({ payload }: Frame): string {
  try {
    return (JSON.parse(payload.toString()) as { Output?: string }).Output ?? ''
  } catch (error) {
    if (error instanceof SyntaxError) return payload.toString()
    throw error
  }
}

/** The agent asks what kind of session it is; encryption is not asked for where the cluster sets no key. */
function handshakeResponse({ payload }: Frame): Pick<Frame, 'payloadType' | 'payload'> {
  const { RequestedClientActions = [] } = JSON.parse(payload.toString()) as {
    RequestedClientActions?: { ActionType: string }[]
  }
  const answer = {
    ClientVersion: clientVersion,
    ProcessedClientActions: RequestedClientActions.map(({ ActionType }) =>
      ActionType === 'SessionType'
        ? { ActionType, ActionStatus: 1, ActionResult: null, Error: '' }
        : { ActionType, ActionStatus: 3, ActionResult: null, Error: `${ActionType} is not known here` },
    ),
    Errors: [],
  }
  return { payloadType: payloadTypes.handshakeResponse, payload: Buffer.from(JSON.stringify(answer)) }
}

type Outbox = ReturnType<typeof createOutbox>

/** What goes out: numbered, and sent again until it is acknowledged. */
function createOutbox(socket: WebSocket) {
  const sent = createUnacknowledged()
  const waiting = new Set<() => void>()
  let next = 0
  let failure: Error | null = null
  const frameOf = (frame: Omit<Frame, 'id' | 'createdMs'>) =>
    encodeFrame({ ...frame, id: randomUUID(), createdMs: Date.now() })
  const wake = () => {
    for (const resume of waiting) resume()
    waiting.clear()
  }
  const fewerThan = async (count: number) => {
    for (;;) {
      if (failure) throw failure
      if (sent.count() < count) return
      await new Promise<void>((resolve) => waiting.add(resolve))
    }
  }
  const transmit = (bytes: Buffer) => {
    if (socket.readyState === socket.OPEN) socket.send(bytes)
  }
  const resending = setInterval(() => {
    for (const bytes of sent.due(Date.now(), resendMs)) transmit(bytes)
  }, resendMs / 4)
  return {
    put({ payloadType, payload }: Pick<Frame, 'payloadType' | 'payload'>) {
      const sequence = next++
      const flags = sequence === 0 ? 1 : 0
      const bytes = frameOf({ type: 'input_stream_data', sequence, flags, payloadType, payload })
      sent.add(sequence, bytes, Date.now())
      transmit(bytes)
    },
    acknowledge: (frame: Frame) => transmit(frameOf(acknowledgementOf(frame))),
    acknowledged(frame: Frame) {
      sent.acknowledge(acknowledgedBy(frame))
      wake()
    },
    room: async () => await fewerThan(mostUnderWay),
    emptied: async () => await fewerThan(1),
    end(error: Error) {
      failure ??= error
      clearInterval(resending)
      wake()
    },
  }
}

/** What has come and was not read yet; the tool sends no more than its window. */
function createInbox() {
  const waiting: Buffer[] = []
  let end: { error: Error | null } | null = null
  let wake = () => {}
  async function* read(): AsyncGenerator<Buffer> {
    for (;;) {
      const next = waiting.shift()
      if (next) yield next
      else if (end?.error) throw end.error
      else if (end) return
      else await new Promise<void>((resolve) => (wake = resolve))
    }
  }
  return {
    content: read(),
    add(content: Buffer) {
      waiting.push(content)
      wake()
    },
    end(error: Error | null) {
      end ??= { error }
      wake()
    },
  }
}
