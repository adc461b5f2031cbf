import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'

const version = readFileSync('VERSION', 'utf8').trim()

const server = createServer((request, response) => {
  if (request.url === '/up') return response.end('up')
  if (request.headers['x-forwarded-proto'] !== 'https') {
    return response.writeHead(301, { location: `${process.env.APP_URL}${request.url}` }).end()
  }
  response.setHeader('set-cookie', 'session=1; Secure; HttpOnly')
  const [visitor] = String(request.headers['x-forwarded-for']).split(',')
  response.end(`${version} for ${visitor}`)
})
server.keepAliveTimeout = 75_000
server.listen(8000)
process.on('SIGTERM', () => process.exit(0))
