import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'

const version = readFileSync('VERSION', 'utf8').trim()
const server = createServer((_request, response) => response.end(version))
server.keepAliveTimeout = 75_000
server.listen(3000)
process.on('SIGTERM', () => process.exit(0))
