import { createServer } from 'node:http'

/** What the program in the middle says. */
const server = createServer(async (_request, response) => {
  try {
    const said = await fetch('http://api:4000/', { signal: AbortSignal.timeout(5000) })
    response.writeHead(said.status).end(await said.text())
  } catch (error) {
    console.error(error.message, error.cause?.message)
    response.writeHead(502).end('nobody answers')
  }
})
server.keepAliveTimeout = 75_000
server.listen(3000)
process.on('SIGTERM', () => server.close(() => process.exit(0)))
