import { mariadb } from '../../../src/services/types/mariadb.ts'
import { mysql } from '../../../src/services/types/mysql.ts'
import { postgres } from '../../../src/services/types/postgres.ts'
import { rabbitmq } from '../../../src/services/types/rabbitmq.ts'
import { redis } from '../../../src/services/types/redis.ts'
import { valkey } from '../../../src/services/types/valkey.ts'
import type { Login, ServiceType } from '../../../src/services/service-type.ts'
import { openAmqp } from '../amqp.ts'
import type { ServiceWorld } from '../service-world.ts'
import { scriptedClient, type Client, type Script } from './client.ts'

/** Not the loopback address, where some images trust everybody. */
const host = `$(hostname -i | cut -d ' ' -f 1)`

const literal = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`

function postgresClient(): Client {
  const psql = ({ username, password }: Login, database: string, statements: string): Script => ({
    script: `IFS= read -r PGPASSWORD; export PGPASSWORD
exec psql -qAtX -v ON_ERROR_STOP=1 -h "${host}" -U ${username} -d ${database}`,
    input: `${password}\n${statements}\n`,
  })
  const table = 'SET client_min_messages = error; CREATE TABLE IF NOT EXISTS kept (id serial, value text);'
  return scriptedClient(
    { type: postgres },
    {
      write: (by, value) =>
        psql(by, by.data, `${table} INSERT INTO kept (value) VALUES (E${literal(value)});`),
      read: (by, { data }) => psql(by, data, 'SELECT value FROM kept ORDER BY id;'),
      stay: (by) => psql(by, by.data, "SELECT 'here';\nSELECT pg_sleep(60);"),
    },
  )
}

function mysqlClient(type: ServiceType): Client {
  const client = ({ username, password }: Login, database: string, statements: string): Script => ({
    script: `IFS= read -r MYSQL_PWD; export MYSQL_PWD
exec mariadb -BNr --unbuffered -h "${host}" -u ${username} ${database}`,
    input: `${password}\n${statements}\n`,
  })
  const table = 'CREATE TABLE IF NOT EXISTS kept (id int AUTO_INCREMENT PRIMARY KEY, value text);'
  return scriptedClient(
    { type },
    {
      write: (by, value) =>
        client(by, by.data, `${table} INSERT INTO kept (value) VALUES (${literal(value)});`),
      read: (by, { data }) => client(by, data, 'SELECT value FROM kept ORDER BY id;'),
      stay: (by) => client(by, by.data, "SELECT 'here';\nSELECT SLEEP(60);"),
    },
  )
}

function redisClient(type: ServiceType, program: string): Client {
  const client = ({ username, password }: Login, words: string): Script => ({
    script: `IFS= read -r REDISCLI_AUTH; export REDISCLI_AUTH\n${program} -e -h "${host}" --user ${username} ${words}`,
    input: `${password}\n`,
  })
  return scriptedClient(
    { type, hasPrefixes: true },
    {
      write: (by, value) => client(by, `RPUSH '${by.keyPrefix ?? ''}kept' '${value}'`),
      read: (by, place) => client(by, `LRANGE '${place.keyPrefix ?? ''}kept' 0 -1`),
      // Its second command is answered by nobody, until the session is ended.
      stay: (by) => ({
        script: `IFS= read -r REDISCLI_AUTH; export REDISCLI_AUTH
printf 'PING here\\nBLPOP ${by.keyPrefix ?? ''}nothing 60\\n' | ${program} -e -h "${host}" --user ${by.username}
exit 1`,
        input: `${by.password}\n`,
      }),
    },
  )
}

function rabbitClient(): Client {
  const open = ({ process }: ServiceWorld, login: Login, place = login) =>
    openAmqp({ host: process.address!, port: 5672, ...login, vhost: place.data })
  return {
    type: rabbitmq,
    async write(service, login, value) {
      await using session = await open(service, login)
      await session.publish('kept', value)
    },
    async read(service, login, place) {
      await using session = await open(service, login, place)
      return await session.peek('kept')
    },
    stay(service, login) {
      let isOver = false
      const opening = open(service, login)
      const ended = opening.then((session) => session.closed)
      void ended.catch(() => undefined).finally(() => (isOver = true))
      return { here: opening.then(() => undefined), ended, hasEnded: () => isOver }
    },
  }
}

export const serviceClients: Client[] = [
  postgresClient(),
  mysqlClient(mysql),
  mysqlClient(mariadb),
  redisClient(redis, 'redis-cli'),
  redisClient(valkey, 'valkey-cli'),
  rabbitClient(),
]
