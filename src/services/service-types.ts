import type { ServiceType } from './service-type.ts'
import { image } from './types/image.ts'
import { mariadb } from './types/mariadb.ts'
import { memcached } from './types/memcached.ts'
import { mongo } from './types/mongo.ts'
import { mysql } from './types/mysql.ts'
import { postgres } from './types/postgres.ts'
import { rabbitmq } from './types/rabbitmq.ts'
import { redis } from './types/redis.ts'
import { valkey } from './types/valkey.ts'

/** Every type that runs from an image; a further one is a file in `types/` and a line here. */
export const serviceTypes: readonly ServiceType[] = [
  postgres,
  mysql,
  mariadb,
  redis,
  valkey,
  memcached,
  rabbitmq,
  mongo,
  image,
]

/** By its name or another word for it; null for a word that is none. */
export function findServiceType(name: string): ServiceType | null {
  return serviceTypes.find((type) => type.name === name || type.aliases.includes(name)) ?? null
}
