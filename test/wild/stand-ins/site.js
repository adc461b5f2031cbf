// A program with pages: it wants its folder to be writable, its configuration to be there, and its database to answer.
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as rest } from 'node:timers/promises'

const {
  DATA: folder,
  PORT: port,
  START_MS: startMs,
  CONFIG: config,
  SEED: seed,
  TITLE: title = '',
} = process.env
const { DATABASE: database } = process.env

mkdirSync(folder, { recursive: true })
// What the image brings goes into an empty folder, beside what is mounted there.
if (seed && !existsSync(join(folder, 'index'))) cpSync(seed, folder, { recursive: true, force: false })
writeFileSync(join(folder, 'last-start'), new Date().toISOString())
await rest(Number(startMs))

function ask(line) {
  const [host, number = '3306'] = database.split(':')
  const { promise, resolve, reject } = Promise.withResolvers()
  const socket = connect(Number(number), host, () => socket.write(`${line}\n`))
  socket.on('error', reject)
  const lines = createInterface(socket).on('error', reject)
  lines.on('line', (answer) => {
    socket.destroy()
    resolve(answer)
  })
  return promise
}

/** The title, the first line of the configuration, and whether the database answers. */
async function page() {
  const words = [
    title,
    config && readFileSync(config, 'utf8').split('\n')[0],
    database && (await ask('PING')),
  ]
  return words.filter(Boolean).join(' ')
}

const server = createServer(async (_request, response) => {
  try {
    response.end(await page())
  } catch (error) {
    console.error(error.message)
    response.writeHead(500).end('error establishing a connection to the database')
  }
})
server.keepAliveTimeout = 75_000
await page().catch((error) => console.error(`not ready yet: ${error.message}`))
server.listen(Number(port), () => console.log('serving'))
process.on('SIGTERM', () => process.exit(0))
