import { createServer } from 'node:http'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import { greeting } from 'greeting'

const version = 'one'

function ask(line) {
  const { promise, resolve, reject } = Promise.withResolvers()
  const socket = connect(27_017, process.env.MONGO_HOST, () => socket.write(`${line}\n`))
  socket.on('error', reject)
  const lines = createInterface(socket).on('error', reject)
  lines.on('line', (answer) => {
    socket.destroy()
    resolve(answer)
  })
  return promise
}

const server = createServer(async (_request, response) => {
  try {
    response.end(`${greeting} ${version} ${await ask('PING')}`)
  } catch (error) {
    response.writeHead(500).end(error.message)
  }
})
server.keepAliveTimeout = 75_000
server.listen(3000)
process.on('SIGTERM', () => process.exit(0))
