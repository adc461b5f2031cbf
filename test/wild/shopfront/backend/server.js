import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'

const version = readFileSync('VERSION', 'utf8').trim()
const server = createServer((_request, response) => response.end(version))
server.listen(3000)
process.on('SIGTERM', () => server.close(() => process.exit(0)))
