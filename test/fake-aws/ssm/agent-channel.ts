import { randomUUID } from 'node:crypto'
import type { RawData, WebSocket } from 'ws'
import {
  acknowledgedBy,
  acknowledgementOf,
  decodeFrame,
  encodeFrame,
  payloadTypes,
  type Frame,
} from '../../../src/engines/aws/exec/frame.ts'
import { createSequence, createUnacknowledged } from '../../../src/engines/aws/exec/sequence.ts'

/** The agent's end of a data channel. */
export interface AgentChannel {
  /** Settles when more may follow. */
  send(content: Buffer): Promise<void>
  /** Says that the session is over. */
  end(words: string): void
}

export interface TerminalSize {
  rows: number
  cols: number
}

interface AgentEvents {
  input(content: Buffer): void
  size(size: TerminalSize): void
  ready(): void
}

const frameBytes = 1024
const resendMs = 300
const mostUnderWay = 32
/** Every so many messages one comes twice, one is lost on its way out, one is not acknowledged: the channel repeats (S). */
const oddities = { twice: 7, lost: 11, unacknowledged: 13 }

/** Shakes hands, then carries bytes; in order, each once. */
export function createAgentChannel(socket: WebSocket, events: AgentEvents): AgentChannel {
  const sent = createUnacknowledged()
  const sequence = createSequence()
  let next = 0
  let heardCount = 0
  let wake = () => {}
  const acknowledged = async () => await new Promise<void>((resolve) => (wake = resolve))
  const transmit = (bytes: Buffer) => {
    if (socket.readyState === socket.OPEN) socket.send(bytes)
  }
  const frameOf = (frame: Omit<Frame, 'id' | 'createdMs'>) =>
    encodeFrame({ ...frame, id: randomUUID(), createdMs: Date.now() })
  const put = (payloadType: number, payload: Buffer) => {
    const number = next++
    const bytes = frameOf({ type: 'output_stream_data', sequence: number, flags: 0, payloadType, payload })
    sent.add(number, bytes, Date.now())
    if (number % oddities.lost !== oddities.lost - 1) transmit(bytes)
    if (number % oddities.twice === oddities.twice - 1) transmit(bytes)
  }
  const say = (payloadType: number, content: object) => put(payloadType, Buffer.from(JSON.stringify(content)))
  const heard = ({ payloadType, payload }: Frame) => {
    if (payloadType === payloadTypes.handshakeResponse) {
      say(payloadTypes.handshakeComplete, { HandshakeTimeToComplete: 1_000_000, CustomerMessage: '' })
      events.ready()
    } else if (payloadType === payloadTypes.size) {
      events.size(JSON.parse(payload.toString()) as TerminalSize)
    } else events.input(payload)
  }
  socket.on('message', (data: RawData, isBinary) => {
    const frame = isBinary ? decodeFrame(data as Buffer) : null
    if (frame?.type === 'acknowledge') {
      sent.acknowledge(acknowledgedBy(frame))
      wake()
    }
    if (frame?.type !== 'input_stream_data') return
    const due = sequence.take(frame)
    if (++heardCount % oddities.unacknowledged !== 0) transmit(frameOf(acknowledgementOf(frame)))
    for (const one of due) heard(one)
  })
  const resending = setInterval(() => {
    for (const bytes of sent.due(Date.now(), resendMs)) transmit(bytes)
  }, resendMs / 3)
  socket.once('close', () => {
    clearInterval(resending)
    wake()
  })
  const action = { ActionType: 'SessionType', ActionParameters: { SessionType: 'InteractiveCommands' } }
  say(payloadTypes.handshakeRequest, { AgentVersion: '3.3.0.0', RequestedClientActions: [action] })
  const isUnderWay = () => socket.readyState === socket.OPEN && sent.count() >= mostUnderWay
  return {
    async send(content) {
      for (let at = 0; at < content.length; at += frameBytes) {
        while (isUnderWay()) await acknowledged()
        put(payloadTypes.output, content.subarray(at, at + frameBytes))
      }
    },
    end(words) {
      const close = () => {
        const payload = Buffer.from(JSON.stringify({ MessageType: 'channel_closed', Output: words }))
        transmit(frameOf({ type: 'channel_closed', sequence: 0, flags: 0, payloadType: 0, payload }))
      }
      const closing = setInterval(() => {
        if (socket.readyState === socket.OPEN && sent.count() > 0) return
        clearInterval(closing)
        close()
      }, 5)
    },
  }
}
