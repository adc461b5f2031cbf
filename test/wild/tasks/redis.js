import { once } from 'node:events'
import { connect } from 'node:net'

/** A connection that sends one command at a time: numbers, texts and null are what comes back. */
export async function openRedis() {
  const socket = connect(6379, process.env.REDIS_HOST)
  await once(socket, 'connect')
  const lines = linesOf(socket)
  let last = Promise.resolve()
  const ask = async (words) => {
    socket.write(
      words
        .map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`)
        .join('')
        .replace(/^/, `*${words.length}\r\n`),
    )
    const line = (await lines.next()).value ?? '-closed'
    if (line[0] === '-') throw new Error(line.slice(1))
    if (line[0] === ':') return Number(line.slice(1))
    if (line[0] === '$') return line === '$-1' ? null : (await lines.next()).value
    return line.startsWith('*') ? null : line.slice(1)
  }
  return (...words) => (last = last.then(() => ask(words.map(String))))
}

async function* linesOf(socket) {
  let buffered = ''
  for await (const chunk of socket) {
    const parts = (buffered + chunk).split('\r\n')
    buffered = parts.pop()
    yield* parts
  }
}
