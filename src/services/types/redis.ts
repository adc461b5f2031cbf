import { redisLike } from '../families/redis-like.ts'
import type { ServiceType } from '../service-type.ts'
import { majorOf } from '../versions.ts'

export const redis: ServiceType = redisLike({
  name: 'redis',
  aliases: [],
  versions: { usual: '7', known: ['8', '7'], format: (version) => String(majorOf(version)) },
  image: (version) => `redis:${version}`,
  server: 'redis-server',
  client: 'redis-cli',
  series: ['7'],
  says: [],
})
