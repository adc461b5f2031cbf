import { openRedis } from './redis.js'

const redis = await openRedis()
setInterval(() => redis('LPUSH', 'tasks', 'beat'), 1000)
process.on('SIGTERM', () => process.exit(0))
