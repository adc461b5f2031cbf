import { setTimeout as rest } from 'node:timers/promises'
import { openRedis } from './redis.js'

const redis = await openRedis()
const stopping = new AbortController()
process.on('SIGTERM', () => {
  console.log('stopping when the job is done')
  stopping.abort()
})

while (!stopping.signal.aborted) {
  const job = await redis('BRPOPLPUSH', 'waiting', 'working', '1')
  if (job === null) continue
  await redis('INCR', 'begun')
  await rest(1500)
  await redis('INCR', 'done')
  await redis('LREM', 'working', '1', job)
}
process.exit(0)
