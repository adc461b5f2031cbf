import { once } from 'node:events'
import { connect } from 'node:net'

export interface AmqpLogin {
  host: string
  port: number
  username: string
  password: string
  vhost: string
}

const methodFrame = 1
const headerFrame = 2
const bodyFrame = 3

/** As much of AMQP 0-9-1 as puts a message into a queue and looks at what is in it. Rejects where it is not let in. */
export async function openAmqp({ host, port, username, password, vhost }: AmqpLogin) {
  const socket = connect({ host, port })
  socket.on('error', () => undefined) // told by what reads it
  await Promise.race([once(socket, 'connect'), once(socket, 'close').then(() => refuse('closed'))])
  const frames = readFrames(socket)
  const closed = Promise.withResolvers<never>()
  closed.promise.catch(() => undefined)

  const send = (type: number, channel: number, ...parts: (Buffer | number[])[]) => {
    const payload = Buffer.concat(parts.map((part) => Buffer.from(part)))
    const head = Buffer.alloc(7)
    head.writeUInt8(type)
    head.writeUInt16BE(channel, 1)
    head.writeUInt32BE(payload.length, 3)
    socket.write(Buffer.concat([head, payload, Buffer.from([0xce])]))
  }
  const method = (channel: number, id: [number, number], ...arguments_: (Buffer | number[])[]) =>
    send(methodFrame, channel, [0, id[0], 0, id[1]], ...arguments_)
  /** The next frame; a `close` of the other side, or its end, rejects. */
  const next = async () => {
    const { value } = await frames.next()
    if (!value) return refuse('the connection has ended')
    const id = value.type === methodFrame ? `${value.payload[1]}.${value.payload[3]}` : ''
    if (id === '10.50' || id === '20.40') return refuse(value.payload.subarray(7).toString())
    return { ...value, id }
  }
  const expect = async (wanted: string) => {
    const frame = await next()
    if (frame.id !== wanted) return refuse(`${frame.id} instead of ${wanted}`)
    return frame.payload.subarray(4)
  }
  const queueOf = (queue: string) => [[0, 0], short(queue)]

  try {
    socket.write(Buffer.from('AMQP\0\0\u0009\u0001'))
    await expect('10.10')
    const response = long(`\0${username}\0${password}`)
    method(0, [10, 11], [0, 0, 0, 0], short('PLAIN'), response, short('en_US'))
    const limits = await expect('10.30')
    method(0, [10, 31], limits.subarray(0, 6), [0, 0])
    method(0, [10, 40], short(vhost), [0, 0])
    await expect('10.41')
    method(1, [20, 10], [0])
    await expect('20.11')
  } catch (error) {
    socket.destroy()
    throw error
  }
  return {
    /** Rejects when the other side ends the session; nothing else may be asked for meanwhile. */
    get closed() {
      next().then(() => closed.reject(new Error('an answer nobody asked for')), closed.reject)
      return closed.promise
    },
    /** Settles when the server has it. */
    async publish(queue: string, text: string): Promise<void> {
      method(1, [50, 10], ...queueOf(queue), [0b10], [0, 0, 0, 0])
      await expect('50.11')
      method(1, [85, 10], [0])
      await expect('85.11')
      method(1, [60, 40], [0, 0], short(''), short(queue), [0])
      const body = Buffer.from(text)
      const bytes = Buffer.alloc(8)
      bytes.writeBigUInt64BE(BigInt(body.length))
      // Delivery mode 2: kept on the disk.
      send(headerFrame, 1, [0, 60, 0, 0], bytes, [0x10, 0x00, 2])
      send(bodyFrame, 1, body)
      await expect('60.80')
    },
    /** What is in a queue; it stays there. */
    async peek(queue: string): Promise<string[]> {
      const texts: string[] = []
      for (;;) {
        method(1, [60, 70], ...queueOf(queue), [0])
        if ((await next()).id === '60.72') return texts
        await next()
        texts.push((await next()).payload.toString())
      }
    },
    [Symbol.asyncDispose]: async () => {
      method(0, [10, 50], [0, 200], short(''), [0, 0, 0, 0])
      await expect('10.51').catch(() => undefined)
      socket.destroy()
    },
  }
}

async function* readFrames(socket: AsyncIterable<Buffer>) {
  let held = Buffer.alloc(0)
  for await (const chunk of socket) {
    held = Buffer.concat([held, chunk])
    for (;;) {
      if (held.length < 8) break
      const size = held.readUInt32BE(3)
      if (held.length < size + 8) break
      yield { type: held[0], payload: held.subarray(7, 7 + size) }
      held = held.subarray(size + 8)
    }
  }
}

function short(text: string): Buffer {
  const bytes = Buffer.from(text)
  return Buffer.concat([Buffer.from([bytes.length]), bytes])
}

function long(text: string): Buffer {
  const bytes = Buffer.from(text)
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}

function refuse(why: string): never {
  throw new Error(`amqp: ${why}`)
}
