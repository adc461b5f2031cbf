import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { connect } from 'node:net'

const version = readFileSync('VERSION', 'utf8').trim()

async function ping() {
  const socket = connect(6379, 'store')
  socket.write('PING\r\n')
  const [said] = await once(socket, 'data')
  socket.destroy()
  return String(said).trim().slice(1)
}

const server = createServer(async (_request, response) => {
  // Whoever keeps a connection would keep an old copy.
  response.setHeader('connection', 'close')
  try {
    response.end(`${version} ${await ping()}`)
  } catch (error) {
    console.error(error.message)
    response.writeHead(500).end('the store does not answer')
  }
})
server.listen(4000)
process.on('SIGTERM', () => server.close(() => process.exit(0)))
