import { createServer } from 'node:http'

const { NAME: name = 'service', VERSION: version = 'one' } = process.env
const server = createServer((_request, response) => response.end(`${name}=${version}`))
server.listen(3000)
process.on('SIGTERM', () => server.close(() => process.exit(0)))
