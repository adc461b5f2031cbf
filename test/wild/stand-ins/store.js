// A database: lines over TCP (`GET key`, `SET key value`, `PING`), kept in its folder, ready some time after it starts.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as rest } from 'node:timers/promises'

const { DATA: folder, PORT: port, START_MS: startMs, FIRST_MS: firstMs } = process.env
const file = join(folder, 'data.json')

function read() {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    if (error.code !== 'ENOENT') throw error
    return null
  }
}

function write(values) {
  writeFileSync(`${file}.new`, JSON.stringify(values))
  renameSync(`${file}.new`, file)
}

mkdirSync(folder, { recursive: true })
const found = read()
const values = found ?? {}
// An empty folder is made a database first, as those in the wild do.
await rest(Number(found ? startMs : firstMs))
if (!found) write(values)

const answers = {
  PING: () => 'PONG',
  GET: (key) => values[key] ?? '',
  SET(key, ...words) {
    values[key] = words.join(' ')
    write(values)
    return 'OK'
  },
}

const server = createServer((socket) => {
  socket.on('error', () => undefined)
  const lines = createInterface(socket).on('error', () => undefined)
  lines.on('line', (line) => {
    const [verb, ...words] = line.split(' ')
    socket.write(`${answers[verb]?.(...words) ?? 'ERROR'}\n`)
  })
})
server.listen(Number(port), () => console.log('ready for connections'))
process.on('SIGTERM', () => process.exit(0))
