import { withPassword } from '../inside.ts'
import type { HostedClient, HostedPlace, Inside } from '../service-type.ts'

const login = '--protocol=tcp --host="$1" --port="$2" --user="$3" --default-character-set=utf8mb4'

/** `loose`: of MySQL's own program, which MariaDB's passes over. What it would say of the server concerns a replica. */
export const placeOptions = '--no-tablespaces --loose-set-gtid-purged=OFF'

/** MariaDB's, or MySQL's. */
export const dumpProgram = '"$(command -v mariadb-dump || command -v mysqldump)"'

/** All of a database, as it was at one instant, in statements that any text can hold. */
export const dumpOptions = '--single-transaction --quick --routines --events --triggers --hex-blob'

export function hostedMysql({ host, port, username, password, data }: HostedPlace): HostedClient {
  const run = (script: string): Inside =>
    withPassword('MYSQL_PWD', script, { words: [host, String(port), username, data], password })
  return {
    data,
    version: run(
      `exec "$(command -v mariadb || command -v mysql)" ${login} --connect-timeout=10 --batch --skip-column-names --execute='SELECT VERSION()'`,
    ),
    // Users and their passwords are the other server's.
    dump: (part) =>
      part.endsWith('.users')
        ? null
        : run(`exec ${dumpProgram} ${login} ${dumpOptions} ${placeOptions} --databases -- "$4"`),
  }
}
