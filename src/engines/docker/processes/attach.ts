import type { Socket } from 'node:net'
import type { Terminal } from '../../../domain/terminal.ts'
import { readFrames } from '../logs/frames.ts'

const endOfTransmission = Buffer.from([4])

/**
 * Carries bytes between a terminal and an attached process. Settles when the process's output has ended and all of it
 * has been given on; the end of the terminal's input closes the process's.
 */
export async function carry(socket: Socket, terminal: Terminal): Promise<void> {
  const typing = terminal.input?.[Symbol.asyncIterator]() ?? null
  const typed = typing ? sendInput(socket, typing, terminal.tty) : Promise.resolve()
  try {
    await Promise.race([giveOutput(socket, terminal), typed.then(() => new Promise<never>(() => {}))])
  } finally {
    socket.destroy()
    // Not waited for: a terminal whose person types nothing gives its last chunk never.
    void typing?.return?.()
  }
}

async function giveOutput(socket: Socket, terminal: Terminal): Promise<void> {
  if (terminal.tty) {
    for await (const chunk of socket as AsyncIterable<Uint8Array>) await terminal.output('stdout', chunk)
    return
  }
  for await (const { stream, bytes } of readFrames(socket)) await terminal.output(stream, bytes)
}

async function sendInput(socket: Socket, input: AsyncIterator<Uint8Array>, isTty: boolean): Promise<void> {
  for (;;) {
    const { done, value } = await input.next()
    if (socket.destroyed) return
    if (done) break
    if (!socket.write(value)) await drained(socket)
  }
  // Docker closes a terminal's output with its input: the character that ends input is sent instead.
  if (isTty) socket.write(endOfTransmission)
  else socket.end()
}

async function drained(socket: Socket): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  socket.once('drain', resolve)
  socket.once('close', resolve)
  await promise
  socket.off('drain', resolve)
  socket.off('close', resolve)
}
