import { connect } from 'node:net'

const crlf = Buffer.from('\r\n')
const nobody = { resolve() {}, reject() {} } // asked for an answer that came after closing

/**
 * A Redis client in one small file. Commands sent while Redis is away wait for it, and commands whose answer was lost
 * are sent again: send only what may be repeated.
 */
export class Redis {
  #url
  #patienceMs
  #socket = null // null while Redis is away
  #isClosed = false
  #unanswered = [] // in the order they were asked, which is the order Redis answers in

  constructor(url, { patienceMs = 10_000 } = {}) {
    this.#url = new URL(url)
    this.#patienceMs = patienceMs
    this.#dial()
  }

  /** Sends one command; resolves with its answer, rejects with Redis's error or when patience ends. */
  send(...words) {
    return new Promise((resolve, reject) => {
      const command = { bytes: encode(words), resolve, reject }
      command.timer = setTimeout(() => this.#giveUp(command), this.#patienceMs)
      this.#unanswered.push(command)
      this.#socket?.write(command.bytes)
    })
  }

  /** Hangs up; what has no answer by now is rejected. */
  close() {
    this.#isClosed = true
    this.#socket?.end()
    for (const { timer, reject } of this.#unanswered.splice(0)) {
      clearTimeout(timer)
      reject(new Error('the connection to Redis was closed'))
    }
  }

  #dial() {
    if (this.#isClosed) return
    const { hostname, port } = this.#url
    const socket = connect({ host: hostname, port: Number(port) || 6379, noDelay: true })
    let received = Buffer.alloc(0)
    socket.on('connect', () => this.#greet(socket))
    socket.on('data', (chunk) => {
      received = this.#readReplies(received.length ? Buffer.concat([received, chunk]) : chunk)
    })
    socket.on('error', (error) => this.#isClosed || console.error(`redis: ${error.message}`)) // 'close' comes next
    socket.on('close', () => {
      this.#socket = null
      this.#unanswered = this.#unanswered.filter((command) => !command.isGreeting)
      setTimeout(() => this.#dial(), 200)
    })
  }

  /** Says who we are, then repeats what has no answer yet. */
  #greet(socket) {
    const { username, password } = this.#url
    if (password) {
      const words = ['AUTH', username, password].filter(Boolean).map(decodeURIComponent)
      const reject = (error) => socket.destroy(error)
      this.#unanswered.unshift({ bytes: encode(words), resolve() {}, reject, isGreeting: true })
    }
    for (const { bytes } of this.#unanswered) socket.write(bytes)
    this.#socket = socket
  }

  /** Hands every whole reply to the command that asked, and returns the bytes that are left. */
  #readReplies(bytes) {
    let at = 0
    for (let reply = decode(bytes, at); reply; reply = decode(bytes, at)) {
      at = reply.end
      const { timer, resolve, reject } = this.#unanswered.shift() ?? nobody
      clearTimeout(timer)
      if (reply.value instanceof Error) reject(reply.value)
      else resolve(reply.value)
    }
    return bytes.subarray(at)
  }

  /** A command leaves the queue unanswered only together with its connection, or all later answers would be off by one. */
  #giveUp(command) {
    this.#unanswered.splice(this.#unanswered.indexOf(command), 1)
    this.#socket?.destroy()
    command.reject(new Error(`Redis did not answer within ${this.#patienceMs / 1000} s`))
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
