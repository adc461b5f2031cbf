import { createSocket, type Socket as DatagramSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { answerQuestion, type NameWorld } from './answer-question.ts'
import { codes, readQuery, writeReply, type Query, type Reply } from './dns-message.ts'

export interface DnsServer {
  port: number
  close(): Promise<void>
}

interface Place {
  address: string
  /** Any that is free for both when 0. */
  port: number
}

const mostTries = 20

/** Answers by datagrams and by TCP at an address of this machine. */
export async function serveDns(world: NameWorld, place: Place): Promise<DnsServer> {
  for (let tries = 1; ; tries++) {
    try {
      return await serveAt(world, place)
    } catch (error) {
      // A port that is free for datagrams may be somebody's connection.
      const isTaken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE'
      if (!isTaken || place.port !== 0 || tries === mostTries) throw error
    }
  }
}

async function serveAt(world: NameWorld, { address, port }: Place): Promise<DnsServer> {
  const datagrams = createSocket('udp4')
  datagrams.on('message', (message, { address, port }) => {
    const query = readQuery(message)
    if (!query) return
    // Whoever does not wait for its answer has nothing to hear.
    datagrams.send(writeReply(query, replyTo(world, query), query.mostBytes), port, address, () => undefined)
  })
  const bound = await bind(datagrams, { address, port })
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    converse(world, socket)
  })
  try {
    await listen(server, { address, port: bound })
  } catch (error) {
    datagrams.close()
    throw error
  }
  const close = async () => {
    const closed = Promise.all([once(datagrams, 'close'), once(server, 'close')])
    datagrams.close()
    server.close()
    for (const socket of sockets) socket.destroy()
    await closed
  }
  return { port: bound, close }
}

async function bind(
  socket: DatagramSocket,
  { address, port }: { address: string; port: number },
): Promise<number> {
  const bound = once(socket, 'listening')
  socket.bind({ address, port, exclusive: true })
  await bound
  return socket.address().port
}

async function listen(server: Server, { address, port }: { address: string; port: number }): Promise<void> {
  const listening = once(server, 'listening')
  server.listen({ host: address, port, exclusive: true })
  await listening
}

function replyTo(world: NameWorld, { opcode, question }: Query): Reply {
  const none = { answers: [], authority: [] }
  if (opcode !== 0) return { code: codes.unknown, ...none }
  return question ? answerQuestion(world, question) : { code: codes.malformed, ...none }
}

/** By TCP each message has its length before it (RFC 1035). */
function converse(world: NameWorld, socket: Socket): void {
  let pending = Buffer.alloc(0)
  socket.on('error', () => undefined)
  socket.on('data', (chunk) => {
    pending = Buffer.concat([pending, chunk])
    while (pending.length >= 2 && pending.length >= 2 + pending.readUInt16BE(0)) {
      const end = 2 + pending.readUInt16BE(0)
      const query = readQuery(pending.subarray(2, end))
      pending = pending.subarray(end)
      if (!query) return void socket.destroy()
      const reply = writeReply(query, replyTo(world, query), 65_535)
      const length = Buffer.alloc(2)
      length.writeUInt16BE(reply.length)
      socket.write(Buffer.concat([length, reply]))
    }
  })
}
