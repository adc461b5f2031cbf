import { randomBytes } from 'node:crypto'
import { chown, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { until } from '../../../src/lib/poll.ts'
import type { Issued } from '../../../src/lib/x509/issue.ts'
import { query } from '../../support/postgres.ts'
import { connectToDocker, labelsOf, removeObject } from '../ecs/task-network.ts'
import type { FakeAccount } from '../fake-service.ts'
import type { TaskNetwork } from '../links.ts'

export interface DatabaseServer {
  /** In the network of the tasks. */
  address: string
  remove(): Promise<void>
}

export interface WantedServer {
  /** Of Docker: `postgres:15`. */
  image: string
  username: string
  password: string
  /** One that it has from the start, beside Postgres's own; null without. */
  database: string | null
  /** What it shows to whoever wants TLS. */
  certificate: Issued
  /** Whether it takes no connection without. */
  isTlsForced: boolean
}

/** Of the image. */
const postgresUser = 999

/** This machine may be busy with many. */
const startMs = 120_000

/** Where a string stands in a statement of Postgres. */
const literal = (text: string) => `'${text.replaceAll("'", "''")}'`

/**
 * What RDS gives its customer of a Postgres (D: "Understanding PostgreSQL roles and permissions"): an administrator that is
 * no superuser, and a database of RDS's own that nobody enters.
 */
function initialise({ username, password, database }: WantedServer): string {
  return [
    'CREATE ROLE rds_superuser NOLOGIN;',
    'GRANT pg_monitor, pg_signal_backend TO rds_superuser WITH ADMIN OPTION;',
    `CREATE ROLE ${username} LOGIN CREATEDB CREATEROLE PASSWORD ${literal(password)} IN ROLE rds_superuser;`,
    `ALTER DATABASE postgres OWNER TO ${username};`,
    `ALTER DATABASE template1 OWNER TO ${username};`,
    'REVOKE ALL ON DATABASE rdsadmin FROM PUBLIC;',
    ...(database === null ? [] : [`CREATE DATABASE ${database} OWNER ${username};`]),
    '',
  ].join('\n')
}

/** A real server in a container of its own, beside the tasks; it answers when this settles. */
export async function startPostgresServer(
  { run, directory }: Pick<FakeAccount, 'run' | 'directory'>,
  network: TaskNetwork,
  wanted: WantedServer,
): Promise<DatabaseServer> {
  const docker = connectToDocker()
  const control = { signal: AbortSignal.timeout(startMs) }
  const id = randomBytes(4).toString('hex')
  const folder = join(directory, 'databases', id)
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'rds.sql'), initialise(wanted))
  await writeFile(join(folder, 'server.crt'), wanted.certificate.certificate)
  await writeFile(join(folder, 'server.key'), wanted.certificate.key, { mode: 0o600 })
  await chown(join(folder, 'server.key'), postgresUser, postgresUser)
  // The image's own line for connections of the network is the last one.
  const force = `sed -i 's/^host all all all/hostssl all all all/' "$PGDATA/pg_hba.conf"\n`
  await writeFile(join(folder, 'tls.sh'), wanted.isTlsForced ? force : '')
  const inside = { crt: '/etc/rds-server.crt', key: '/etc/rds-server.key' }
  const body = {
    Image: wanted.image,
    Cmd: ['postgres', '-cssl=on', `-cssl_cert_file=${inside.crt}`, `-cssl_key_file=${inside.key}`],
    Env: ['POSTGRES_USER=rdsadmin', `POSTGRES_PASSWORD=${randomBytes(16).toString('hex')}`],
    Labels: await labelsOf(run),
    HostConfig: {
      NetworkMode: network.name,
      Binds: [
        `${join(folder, 'rds.sql')}:/docker-entrypoint-initdb.d/rds.sql:ro`,
        `${join(folder, 'tls.sh')}:/docker-entrypoint-initdb.d/tls.sh:ro`,
        `${join(folder, 'server.crt')}:${inside.crt}:ro`,
        `${join(folder, 'server.key')}:${inside.key}:ro`,
      ],
    },
  }
  const created = {
    method: 'POST',
    path: '/containers/create',
    query: { name: `${run}-database-${id}` },
    body,
    deadlineMs: startMs,
  } as const
  const { Id } = await docker.json<{ Id: string }>(created, control)
  await docker.json({ method: 'POST', path: `/containers/${Id}/start`, deadlineMs: startMs }, control)
  const found = await docker.json<{
    NetworkSettings: { Networks: Record<string, { IPAddress: string }> }
  }>({ path: `/containers/${Id}/json` }, control)
  const address = found.NetworkSettings.Networks[network.name]!.IPAddress
  const { username, password } = wanted
  const url = `postgres://${username}:${encodeURIComponent(password)}@${address}:5432/postgres?sslmode=no-verify`
  // It listens on the network once all of it is there.
  const answers = async () =>
    await query(url, 'select 1').then(
      () => true,
      () => false,
    )
  await until(answers, { deadlineMs: startMs, intervalMs: 200, what: 'a database to answer' })
  return { address, remove: async () => await removeObject(docker, `/containers/${Id}?force=1&v=1`) }
}
