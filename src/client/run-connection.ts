import { RackError } from '../domain/error.ts'
import { channels, decodeFrame, encodeFrame, frameJson, splitFrames } from './contract/frames.ts'
import type { Problem } from './contract/problem.ts'
import { problemError } from './read-problem.ts'
import type { TransportSocket } from './transport.ts'

/** This end of a byte stream. */
export interface LocalStream {
  /** What goes in; its end is the end of that direction alone, its failure the end of all. */
  input: AsyncIterable<Uint8Array>
  /** Settles when more may follow. */
  output(chunk: Uint8Array): Promise<void>
  /** Nothing more comes out. */
  end(): void
  /** Hears that the other side is connected. */
  opened?(): void
}

/** Joins two byte streams until both directions have ended; with back-pressure each way. */
export async function runConnection(url: URL, socket: TransportSocket, local: LocalStream): Promise<void> {
  const failed = Promise.withResolvers<never>()
  const sending = sendInput(socket, local)
  sending.catch((error: unknown) => {
    failed.reject(error)
    socket.close()
  })
  try {
    await Promise.race([receiveOutput(url, socket, local), failed.promise])
    await sending
  } finally {
    socket.close()
  }
}

async function sendInput(socket: TransportSocket, local: LocalStream): Promise<void> {
  for await (const chunk of local.input) {
    for (const frame of splitFrames(channels.input, chunk)) await socket.send(frame)
  }
  await socket.send(encodeFrame(channels.endOfInput))
}

/** Settles at the end of the output; the rack closes when the input has ended too. */
async function receiveOutput(url: URL, socket: TransportSocket, local: LocalStream): Promise<void> {
  let isEnded = false
  for await (const message of socket.messages) {
    const { channel, content } = decodeFrame(message)
    if (channel === channels.output) await local.output(content)
    else if (channel === channels.started) local.opened?.()
    else if (channel === channels.problem) throw problemError(frameJson(content) as Problem)
    else if (channel === channels.endOfOutput) {
      isEnded = true
      local.end()
    }
    // A newer rack may use channels that this client does not know.
  }
  if (!isEnded) throw new RackError('unreachable', `the rack at ${url.host} went away`)
}
