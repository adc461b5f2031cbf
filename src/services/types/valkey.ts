import { redisLike } from '../families/redis-like.ts'
import type { ServiceType } from '../service-type.ts'
import { majorOf } from '../versions.ts'

export const valkey: ServiceType = redisLike({
  name: 'valkey',
  aliases: [],
  versions: { usual: '8', known: ['9', '8', '7'], format: (version) => String(majorOf(version)) },
  image: (version) => `valkey/valkey:${version}`,
  server: 'valkey-server',
  client: 'valkey-cli',
  series: ['7', '8', '9'],
  says: [],
})
