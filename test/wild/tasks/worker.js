import { openRedis } from './redis.js'

const redis = await openRedis()
const stopping = new AbortController()
process.on('SIGTERM', () => stopping.abort())
while (!stopping.signal.aborted) {
  const task = await redis('RPOPLPUSH', 'tasks', 'last')
  if (task === null) await redis('BRPOPLPUSH', 'tasks', 'last', '1')
  await redis('LTRIM', 'last', '0', '9')
}
process.exit(0)
