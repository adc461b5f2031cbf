import { createServer, get } from 'node:http'
import { text } from 'node:stream/consumers'

const upstreams = (process.env.UPSTREAMS ?? '').split(',')

/** A connection of its own for each question: the name is resolved each time. */
function ask(name) {
  const { promise, resolve, reject } = Promise.withResolvers()
  get({ host: name, port: 3000, agent: false }, (response) => text(response).then(resolve, reject)).on(
    'error',
    reject,
  )
  return promise
}

const server = createServer(async (request, response) => {
  if (request.url === '/healthz') return response.end('ok')
  try {
    response.end((await Promise.all(upstreams.map(ask))).join(' '))
  } catch (error) {
    console.error(error.message)
    response.writeHead(502).end(`an upstream is away: ${error.message}`)
  }
})
server.keepAliveTimeout = 75_000
server.listen(8080)
process.on('SIGTERM', () => process.exit(0))
