import { connect } from 'node:net'

const crlf = Buffer.from('\r\n')

/**
 * A Redis client in one small file. Commands sent while Redis is away wait for it, and commands whose answer was lost
 * are sent again: send only what may be repeated.
 */
export function openRedis(url, { patienceMs = 10_000 } = {}) {
  const { hostname, port, username, password } = new URL(url)
  const unanswered = [] // in the order they were asked, which is the order Redis answers in
  let socket = null
  let isClosed = false

  function dial() {
    if (isClosed) return
    const next = connect({ host: hostname, port: Number(port) || 6379, noDelay: true })
    let received = Buffer.alloc(0)
    next.on('connect', () => {
      socket = next
      if (password) next.write(encode(username ? ['AUTH', username, password] : ['AUTH', password]))
      if (password)
        unanswered.unshift({ bytes: null, resolve: () => {}, reject: (error) => next.destroy(error) })
      for (const { bytes } of unanswered) if (bytes) next.write(bytes)
    })
    next.on('data', (chunk) => {
      received = received.length ? Buffer.concat([received, chunk]) : chunk
      let at = 0
      for (let reply = decode(received, at); reply; reply = decode(received, at)) {
        at = reply.end
        const command = unanswered.shift()
        if (reply.value instanceof Error) command?.reject(reply.value)
        else command?.resolve(reply.value)
      }
      received = received.subarray(at)
    })
    next.on('error', () => {}) // 'close' follows, and dials again
    next.on('close', () => {
      socket = null
      if (unanswered[0]?.bytes === null) unanswered.shift()
      setTimeout(dial, 100)
    })
  }

  dial()
  return {
    /** Sends one command; resolves with its answer, rejects with Redis's error or when patience ends. */
    send(...words) {
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => giveUp(command), patienceMs)
        const settle = (how) => (value) => {
          clearTimeout(timer)
          how(value)
        }
        const command = { bytes: encode(words), resolve: settle(resolve), reject: settle(reject) }
        unanswered.push(command)
        socket?.write(command.bytes)
      })
    },
    close() {
      isClosed = true
      socket?.end()
    },
  }

  /** A command without an answer leaves the queue only together with its connection, or answers would shift. */
  function giveUp(command) {
    command.reject(new Error(`Redis did not answer within ${patienceMs / 1000} s`))
    unanswered.splice(unanswered.indexOf(command), 1)
    socket?.destroy()
  }
}

function encode(words) {
  const parts = [`*${words.length}\r\n`]
  for (const word of words) parts.push(`$${Buffer.byteLength(String(word))}\r\n${word}\r\n`)
  return parts.join('')
}

/** Reads one reply of the Redis protocol that begins at `at`; null when it is not whole yet. */
function decode(bytes, at) {
  const lineEnd = bytes.indexOf(crlf, at)
  if (lineEnd < 0) return null
  const line = bytes.toString('utf8', at + 1, lineEnd)
  const end = lineEnd + 2
  switch (String.fromCharCode(bytes[at])) {
    case '+':
      return { value: line, end }
    case '-':
      return { value: new Error(line), end }
    case ':':
      return { value: Number(line), end }
    case '$':
      return decodeText(bytes, end, Number(line))
    case '*':
      return decodeList(bytes, end, Number(line))
    default:
      return { value: new Error(`not a Redis reply: ${line}`), end }
  }
}

function decodeText(bytes, start, length) {
  if (length < 0) return { value: null, end: start }
  const end = start + length + 2
  return bytes.length < end ? null : { value: bytes.toString('utf8', start, start + length), end }
}

function decodeList(bytes, start, length) {
  if (length < 0) return { value: null, end: start }
  const value = []
  let end = start
  for (let index = 0; index < length; index++) {
    const item = decode(bytes, end)
    if (!item) return null
    value.push(item.value)
    end = item.end
  }
  return { value, end }
}
