import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { openRedis } from './redis.js'

const version = readFileSync('VERSION', 'utf8').trim()
const redis = await openRedis()
const server = createServer(async (_request, response) => {
  await redis('LPUSH', 'tasks', version)
  response.end(version)
})
server.keepAliveTimeout = 75_000
server.listen(8000)
process.on('SIGTERM', () => server.close(() => process.exit(0)))
