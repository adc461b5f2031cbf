import { mysqlLike } from '../families/mysql-like.ts'
import { managedDatabase } from '../managed-database.ts'
import type { ServiceType } from '../service-type.ts'
import { seriesOf } from '../versions.ts'

export const mysql: ServiceType = mysqlLike({
  name: 'mysql',
  aliases: [],
  versions: { usual: '8.4', known: ['9.4', '8.4', '8.0'], format: seriesOf },
  image: (version) => `mysql:${version}`,
  passwordVariable: 'MYSQL_ROOT_PASSWORD',
  managed: managedDatabase(({ host, port, username, password, authoritiesFile }) => ({
    SERVICE_HOST: host,
    SERVICE_PORT: String(port),
    SERVICE_USER: username,
    SERVICE_AUTHORITIES: authoritiesFile,
    MYSQL_ROOT_PASSWORD: password,
  })),
  says: ["Proved on MariaDB's server: MySQL's own has not been tried."],
})
