import { mysqlLike } from '../families/mysql-like.ts'
import type { ServiceType } from '../service-type.ts'
import { seriesOf } from '../versions.ts'

export const mariadb: ServiceType = mysqlLike({
  name: 'mariadb',
  aliases: ['maria'],
  versions: { usual: '10.11', known: ['11.8', '11.4', '10.11', '10.6'], format: seriesOf },
  image: (version) => `mariadb:${version}`,
  passwordVariable: 'MARIADB_ROOT_PASSWORD',
  says: [],
})
