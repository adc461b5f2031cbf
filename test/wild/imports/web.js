import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { openRedis } from './redis.js'

const version = readFileSync('VERSION', 'utf8').trim()
const redis = await openRedis()

/** `/` is the version; POST takes an order; `/counts` says how many wait, are worked at and are done. */
const server = createServer(async (request, response) => {
  if (request.method === 'POST') return response.end(String(await redis('LPUSH', 'waiting', Date.now())))
  if (request.url !== '/counts') return response.end(version)
  const counts = [
    redis('LLEN', 'waiting'),
    redis('LLEN', 'working'),
    redis('GET', 'begun'),
    redis('GET', 'done'),
  ]
  const [waiting, working, begun, done] = await Promise.all(counts)
  response.end(JSON.stringify({ waiting, working, begun: Number(begun), done: Number(done) }))
})
server.keepAliveTimeout = 75_000
server.listen(3000)
process.on('SIGTERM', () => process.exit(0))
