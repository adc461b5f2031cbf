import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import type { Issued } from '../../../src/lib/x509/issue.ts'
import { query } from '../../support/postgres.ts'
import type { WantedServer } from './servers.ts'

/** What RDS is asked for, of what a server is told. */
export interface WantedDatabase {
  version: string
  username: string
  password: string
  /** One that it has from the start; null without. */
  database: string | null
  /** Of its parameter group. */
  settings: Record<string, string>
  certificate: Issued
}

/** Where a string stands in a statement. */
const literal = (text: string) => `'${text.replaceAll("'", "''")}'`

const secret = () => randomBytes(16).toString('hex')

/** By which a server is moved to another version. */
const ownPassword = secret()

/** The kinds of databases that there are here. */
export const databaseServers: Record<string, (wanted: WantedDatabase) => WantedServer> = {
  postgres: ({ version, username, password, database, settings, certificate }) => ({
    image: `postgres:${version.split('.')[0]}`,
    environment: {
      POSTGRES_USER: 'rdsadmin',
      POSTGRES_PASSWORD: ownPassword,
      PGPASSWORD: ownPassword,
      // D: `rds.accepted_password_auth_method` is `md5+scram`; a role that an older version has made has the first.
      POSTGRES_HOST_AUTH_METHOD: 'md5',
    },
    command: ['postgres', '-cssl=on', '-cssl_cert_file=/etc/rds.crt', '-cssl_key_file=/etc/rds.key'],
    files: {
      '/docker-entrypoint-initdb.d/rds.sql': postgresOfRds({ username, password, database, version }),
      '/docker-entrypoint-initdb.d/tls.sh': isTlsForced(version, settings) ? forceTls : '',
      '/etc/rds.crt': certificate.certificate,
      '/etc/rds.key': certificate.key,
    },
    user: 999,
    // It listens on the network once all of it is there.
    answers: async (address) => {
      const login = `${username}:${encodeURIComponent(password)}`
      return await query(`postgres://${login}@${address}:5432/postgres?sslmode=no-verify`, 'select 1').then(
        () => true,
        () => false,
      )
    },
  }),
  mysql: ({ version, username, password, settings, certificate }) => ({
    image: `mysql:${version.split('.').slice(0, 2).join('.')}`,
    environment: { MYSQL_ROOT_PASSWORD: secret(), MYSQL_ROOT_HOST: 'localhost' },
    command: [
      'mysqld',
      // D: RDS has TLS, and a binary log wherever it makes backups by itself.
      '--ssl-cert=/rds-cert.pem',
      '--ssl-key=/rds-key.pem',
      '--log-bin',
      '--server-id=1',
      ...Object.entries(settings).map(([name, value]) => `--${name}=${value}`),
    ],
    files: {
      '/docker-entrypoint-initdb.d/rds.sql': mysqlOfRds(username, password),
      '/rds-cert.pem': certificate.certificate,
      '/rds-key.pem': certificate.key,
    },
    answers: async (address) => await greets(address, 3306),
  }),
}

/** All that is in a Postgres of RDS's, from where it is into the one in which this is said; what both have stays. */
export function moveData(from: string): string[] {
  const own = '--username=rdsadmin'
  return ['sh', '-c', `pg_dumpall ${own} --host="$1" | psql ${own} --dbname=postgres --quiet`, 'sh', from]
}

/** D: "Requiring an SSL connection to a PostgreSQL DB instance": 1 from 15 on, 0 before. */
function isTlsForced(version: string, settings: Record<string, string>): boolean {
  return Number(settings['rds.force_ssl'] ?? (Number(version.split('.')[0]) >= 15 ? 1 : 0)) === 1
}

/** The image's own line for connections of the network is the last one. */
const forceTls = `sed -i 's/^host all all all/hostssl all all all/' "$PGDATA/pg_hba.conf"\n`

type Customer = Pick<WantedDatabase, 'username' | 'password' | 'database' | 'version'>

/**
 * What RDS gives its customer of a Postgres (D: "Understanding PostgreSQL roles and permissions"): an administrator that is
 * no superuser, and a database of RDS's own that nobody enters.
 */
function postgresOfRds({ username, password, database, version }: Customer): string {
  // Before 15 it has an owner; RDS makes that its customer (V: what one says of its schemas).
  const giveSchema = `ALTER SCHEMA public OWNER TO ${username};`
  const schemas = ['\\connect template1', giveSchema, '\\connect postgres', giveSchema]
  return [
    'CREATE ROLE rds_superuser NOLOGIN;',
    'GRANT pg_monitor, pg_signal_backend TO rds_superuser WITH ADMIN OPTION;',
    `CREATE ROLE ${username} LOGIN CREATEDB CREATEROLE PASSWORD ${literal(password)} IN ROLE rds_superuser;`,
    `ALTER DATABASE postgres OWNER TO ${username};`,
    `ALTER DATABASE template1 OWNER TO ${username};`,
    'REVOKE ALL ON DATABASE rdsadmin FROM PUBLIC;',
    ...(Number(version.split('.')[0]) < 15 ? schemas : []),
    ...(database === null ? [] : [`CREATE DATABASE ${database} OWNER ${username};`]),
    '',
  ].join('\n')
}

/** D: "Master user account privileges", of MySQL 8.0.36 and higher; MariaDB, which stands in, has other words for the last. */
const rightsOfRds = [
  'SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, RELOAD, PROCESS, REFERENCES, INDEX, ALTER, SHOW DATABASES',
  'CREATE TEMPORARY TABLES, LOCK TABLES, EXECUTE, REPLICATION SLAVE, REPLICATION CLIENT, CREATE VIEW, SHOW VIEW',
  'CREATE ROUTINE, ALTER ROUTINE, CREATE USER, EVENT, TRIGGER',
  // SET_USER_ID; what MySQL lets whoever may DELETE do.
  'SET USER, DELETE HISTORY',
].join(', ')

/** An administrator that ends nobody's session but by a procedure of RDS's (D: `mysql.rds_kill`). */
function mysqlOfRds(username: string, password: string): string {
  const [admin, own] = [`${literal(username)}@'%'`, "'rdsadmin'@'localhost'"]
  return [
    `CREATE USER ${own} IDENTIFIED BY ${literal(secret())};`,
    `GRANT ALL PRIVILEGES ON *.* TO ${own} WITH GRANT OPTION;`,
    `CREATE USER ${admin} IDENTIFIED BY ${literal(password)};`,
    `GRANT ${rightsOfRds} ON *.* TO ${admin} WITH GRANT OPTION;`,
    `CREATE DEFINER = ${own} PROCEDURE mysql.rds_kill(IN thread BIGINT) KILL thread;`,
    '',
  ].join('\n')
}

/** Whether a server that speaks first does so. */
async function greets(host: string, port: number): Promise<boolean> {
  const socket = connect({ host, port })
  try {
    await once(socket, 'data', { signal: AbortSignal.timeout(5000) })
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
