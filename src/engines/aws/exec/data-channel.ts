import { randomUUID } from 'node:crypto'
import type { RawData, WebSocket } from 'ws'
import { RackError } from '../../../domain/error.ts'
import { abortable } from '../../../lib/deadline.ts'
import { acknowledgementOf, decodeFrame, encodeFrame, payloadTypes, type Frame } from './frame.ts'
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
  const sequence = createSequence()
  let lastWords = ''
  const lost = (cause?: unknown) => {
    const error = new RackError('engine-unavailable', 'the session of a command was lost', { cause })
    opening.reject(error)
    outbox.end(error)
    inbox.end(error)
  }
  // Nobody may wait for it any more when it fails.
  opening.promise.catch(() => undefined)
  const heard = (frame: Frame) => {
    if (frame.payloadType === payloadTypes.handshakeRequest) outbox.put(handshakeResponse(frame))
    else if (frame.payloadType === payloadTypes.handshakeComplete) opening.resolve()
    else if (frame.payloadType === payloadTypes.output) {
      // An agent that knows no handshake begins to talk at once.
      opening.resolve()
      inbox.add(frame.payload)
    }
  }
  socket.on('message', (data: RawData) => {
    const frame = decodeFrame(toBuffer(data))
    if (frame?.type === 'acknowledge') outbox.acknowledged(frame)
    if (frame?.type === 'channel_closed') {
      lastWords = wordsOf(frame)
      opening.resolve()
      inbox.end(null)
      socket.close()
    }
    if (frame?.type !== 'output_stream_data') return
    outbox.acknowledge(frame)
    for (const due of sequence.take(frame)) heard(due)
  })
  socket.once('error', lost)
  socket.once('close', () => lost())
  return {
    isOpen: opening.promise,
    output: inbox.content,
    lastWords: () => lastWords,
    async send(content) {
      for (let at = 0; at < content.length; at += frameBytes) {
        await outbox.room()
        const payload = Buffer.from(content.subarray(at, at + frameBytes))
        outbox.put({ payloadType: payloadTypes.output, payload })
      }
    },
    async flushed(ms) {
      const late = AbortSignal.timeout(ms)
      await abortable(outbox.emptied(), late).catch(() => undefined)
    },
    close() {
      lost()
      socket.terminate()
    },
  }
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
    acknowledged({ payload }: Frame) {
      const { AcknowledgedMessageSequenceNumber } = JSON.parse(payload.toString()) as {
        AcknowledgedMessageSequenceNumber: number
      }
      sent.acknowledge(AcknowledgedMessageSequenceNumber)
      wake()
    },
    async room() {
      while (!failure && sent.count() >= mostUnderWay) {
        await new Promise<void>((resolve) => waiting.add(resolve))
      }
      if (failure) throw failure
    },
    async emptied() {
      while (!failure && sent.count() > 0) await new Promise<void>((resolve) => waiting.add(resolve))
    },
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
