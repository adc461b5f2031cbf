import { hostedPostgres } from '../hosted/hosted-postgres.ts'
import { program, shell, withPassword } from '../inside.ts'
import { managedDatabase } from '../managed-database.ts'
import type { DataCare, Inside, Login, Logins, NativeDump, Part, ServiceType } from '../service-type.ts'
import { isSameOrNewer, majorOf } from '../versions.ts'

/**
 * A statement that fails is in the server's log, where a password must not be. Where a cloud runs the server only that may
 * say so, and the settings that it was made with do.
 */
const preamble = [
  'DO $rack$ BEGIN',
  "SET log_min_error_statement = 'panic';",
  "SET log_statement = 'none';",
  "SET log_min_duration_statement = '-1';",
  'EXCEPTION WHEN insufficient_privilege THEN NULL; END $rack$;',
  'SET standard_conforming_strings = on;',
  "SET client_encoding = 'UTF8';",
].join('\n')

const admin = ['--username', 'postgres']

/** Where the server is, for a shell: elsewhere, where a cloud runs it. */
const serverHost = `"\${PGHOST:-$(hostname -i | cut -d ' ' -f 1)}"`

/** By the socket in the container, where the image trusts its own users. */
const psql = [
  'psql',
  ...admin,
  '--no-psqlrc',
  '--quiet',
  '--tuples-only',
  '--no-align',
  '--set=ON_ERROR_STOP=1',
]

/** Databases that somebody may have put something into. */
const listDatabases =
  'SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate AND has_database_privilege(datname, \'CONNECT\') ORDER BY datname COLLATE "C";'

/** One at a time in each database; the lock goes with the session. */
const inTurn =
  "SELECT 'locked' FROM (SELECT pg_advisory_lock(hashtext('rack.logins'))) AS locked \\g /dev/null"

export const postgres: ServiceType = {
  name: 'postgres',
  aliases: ['postgresql', 'pg'],
  versions: {
    usual: '15',
    known: ['18', '17', '16', '15', '14', '13'],
    format: (version) => String(majorOf(version)),
  },
  image: (version) => `postgres:${version}`,
  scheme: 'postgres',
  port: 5432,
  // From 18 on the image keeps a folder for each version.
  dataPath: (version) => (majorOf(version) >= 18 ? '/var/lib/postgresql' : '/var/lib/postgresql/data'),
  cpuUnits: 256,
  memoryBytes: 512 * 2 ** 20,
  stopGraceMs: 60_000,
  environment: (adminPassword) => ({ POSTGRES_PASSWORD: adminPassword }),
  ownLogin({ POSTGRES_USER: username = 'postgres', POSTGRES_PASSWORD: password = '', POSTGRES_DB }) {
    return { path: `/${encodeURIComponent(POSTGRES_DB ?? username)}`, username, password }
  },
  command: null,
  // Not by the loopback address, where the image trusts everybody: what is proved is what apps do.
  ready: shell(
    `export PGPASSWORD="$POSTGRES_PASSWORD" PGCONNECT_TIMEOUT=5
exec psql --no-psqlrc --tuples-only --no-align --username postgres --host ${serverHost} \\
  --command 'SHOW server_version'`,
  ),
  connections: sql([
    "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid();",
  ]),
  logins: {
    hasOwnData: true,
    create,
    revoke,
    prove: ({ data, username, password }) =>
      withPassword(
        'PGPASSWORD',
        `export PGCONNECT_TIMEOUT=5
exec psql --no-psqlrc --tuples-only --no-align --host ${serverHost} --username "$1" --dbname "$2" --command 'SELECT 1'`,
        { words: [username, connection(data)], password },
      ),
    dropData,
    listData: sql([
      'SELECT datname FROM pg_database JOIN pg_roles ON pg_roles.oid = datdba AND rolname = datname AND NOT rolcanlogin ORDER BY datname COLLATE "C";',
    ]),
    listUsers: sql([
      'SELECT login.rolname || chr(9) || datname FROM pg_database JOIN pg_roles owner ON owner.oid = datdba AND owner.rolname = datname AND NOT owner.rolcanlogin JOIN pg_auth_members ON roleid = owner.oid JOIN pg_roles login ON login.oid = member AND login.rolcanlogin;',
    ]),
    address: ({ data, username, password }) => ({ path: `/${encodeURIComponent(data)}`, username, password }),
  } satisfies Logins,
  data: {
    says: 'the roles, and a dump of each database, each of one instant of its own',
    isVolume: false,
    restartsAfterRestore: false,
    list: sql([listDatabases]),
    parts: (names) => [roles, ...names.map(databasePart)],
    counts,
    canRestore: isSameOrNewer,
  } satisfies DataCare,
  hosted: hostedPostgres,
  managed: managedDatabase(({ host, port, password, authoritiesFile }) => ({
    PGHOST: host,
    PGPORT: String(port),
    PGPASSWORD: password,
    PGSSLMODE: 'verify-full',
    PGSSLROOTCERT: authoritiesFile,
  })),
  native: {
    format: "pg_dump's custom format",
    first: 'postgres',
    dump: (database) => program(['pg_dump', ...admin, '--format=custom', `--dbname=${connection(database)}`]),
    contents: (database) => sql([connectTo(database), countOwn]),
    load,
    isAtOnce: true,
  } satisfies NativeDump,
  console: (database) => program(['psql', ...admin, `--dbname=${connection(database ?? 'postgres')}`]),
  says: [],
}

function create({ data, username, password }: Login): Inside {
  const [owner, user] = [identifier(data), identifier(username)]
  const lines = [
    inTurn,
    unless(`FROM pg_roles WHERE rolname = ${literal(data)}`, `CREATE ROLE ${owner} NOLOGIN`),
    ...mayActAs(data),
    unless(`FROM pg_database WHERE datname = ${literal(data)}`, `CREATE DATABASE ${owner} OWNER ${owner}`),
    // Who is let into nothing else is not let in there either.
    `SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', datname) FROM pg_database WHERE datname IN (${literal(data)}, 'postgres', 'template1') AND pg_has_role(datdba, 'USAGE') \\gexec`,
    unless(`FROM pg_roles WHERE rolname = ${literal(username)}`, `CREATE ROLE ${user} NOLOGIN`),
    ...mayActAs(username),
    `ALTER ROLE ${user} LOGIN INHERIT PASSWORD ${literal(password)};`,
    `GRANT ${owner} TO ${user};`,
    // What it makes is the owner's, and the next login's to go on with.
    `ALTER ROLE ${user} SET role = ${literal(data)};`,
    ...inDatabase(data),
    ...onlyIf(
      "FROM pg_namespace WHERE nspname = 'public'",
      `ALTER SCHEMA public OWNER TO ${owner}`,
      'REVOKE ALL ON SCHEMA public FROM PUBLIC',
    ),
  ]
  return sql(lines, [password])
}

/** An administrator that is no superuser, as a cloud gives one, owns what others own by being one of them. */
function mayActAs(role: string): string[] {
  const grant = `GRANT ${identifier(role)} TO CURRENT_USER`
  return [
    `SELECT ${literal(grant)} FROM pg_roles WHERE rolname = ${literal(role)} AND NOT pg_has_role(rolname, 'USAGE') \\gexec`,
  ]
}

function revoke({ data, username }: Omit<Login, 'password'>): Inside {
  const [owner, user, name] = [identifier(data), identifier(username), literal(username)]
  const isThere = `FROM pg_roles WHERE rolname = ${name}`
  const end = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = ${name} \\g /dev/null`
  return sql([
    inTurn,
    ...onlyIf(isThere, `ALTER ROLE ${user} NOLOGIN`),
    end,
    // Where its data was dropped before, there is nothing to hand over.
    `SELECT count(*) > 0 AS here FROM pg_database WHERE datname = ${literal(data)} \\gset`,
    '\\if :here',
    ...inDatabase(data),
    // What it made in a role of its own, past the setting above, becomes the owner's.
    ...onlyIf(isThere, `REASSIGN OWNED BY ${user} TO ${owner}`, `DROP OWNED BY ${user}`),
    '\\endif',
    // Again: one that was just being let in.
    end,
    ...onlyIf(isThere, `DROP ROLE ${user}`),
  ])
}

function dropData(data: string): Inside {
  const owner = identifier(data)
  return sql([
    inTurn,
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = ${literal(data)} \\g /dev/null`,
    `DROP DATABASE IF EXISTS ${owner};`,
    `DROP ROLE IF EXISTS ${owner};`,
  ])
}

/** Of a server that a cloud runs: its own roles stay there, and nobody is told how others log in. */
const rolesOfCloud =
  "SELECT format('CREATE ROLE %I NOLOGIN;', rolname) FROM pg_roles WHERE rolname <> 'postgres' AND left(rolname, 3) NOT IN ('pg_', 'rds') ORDER BY rolname COLLATE \"C\""

/**
 * What of roles may be said where a cloud runs the server: that they are there, and of which others they are. The
 * administrator is each of them, to own what is theirs.
 */
const rolesForCloud = [
  's/^(CREATE ROLE .*[^ ]) NOLOGIN;$/\\1;/',
  's/^CREATE ROLE (.+);$/CREATE ROLE \\1 NOLOGIN; GRANT \\1 TO CURRENT_USER;/p',
  '/^GRANT pg_/d',
  's/^(GRANT .+ TO .+) GRANTED BY [^;]+;$/\\1;/p',
  'd',
].join('\n')

/** The administrator of the service that it is put into stays as it is. */
const roles: Part = {
  name: 'roles.sql',
  dump: shell(
    `[ -z "\${PGHOST:-}" ] || exec ${psql.join(' ')} --dbname=postgres --command "$1"
exec pg_dumpall ${admin.join(' ')} --globals-only`,
    { words: [rolesOfCloud] },
  ),
  restore: shell(
    `own='/^(CREATE|ALTER) ROLE postgres( |;)/d'
[ -n "\${PGHOST:-}" ] && own="$own
${rolesForCloud}"
sed -E "$own" | exec ${psql.join(' ')} --dbname=postgres --output=/dev/null`,
  ),
}

function databasePart(name: string): Part {
  const dump = ['pg_dump', ...admin, '--format=custom', '--compress=0', `--dbname=${connection(name)}`]
  const restore = ['pg_restore', ...admin, '--exit-on-error', '--dbname=postgres']
  // That one is there from the start.
  if (name !== 'postgres') restore.push('--create')
  return {
    name: `${encodeURIComponent(name)}.dump`,
    dump: program(dump),
    restore: program(restore),
  }
}

/** Tables, sequences, views and functions that no extension has brought along. */
const countOwn = `SELECT ${own('pg_class', 'rel')} + ${own('pg_proc', 'pro')};`

function own(table: string, prefix: string): string {
  return `(SELECT count(*) FROM ${table} JOIN pg_namespace ON pg_namespace.oid = ${prefix}namespace
WHERE nspname <> 'information_schema' AND nspname NOT LIKE 'pg\\_%' AND NOT EXISTS
  (SELECT FROM pg_depend WHERE classid = '${table}'::regclass AND objid = ${table}.oid AND deptype = 'e'))`
}

/** All or nothing, and all of it the database's owner's: links act as that one, whoever owned it elsewhere. */
function load(database: string, over: boolean): Inside {
  const script = `owner=$(${psql.join(' ')} --dbname="$1" \\
  --command 'SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()' </dev/null) || exit 1
exec pg_restore ${admin.join(' ')} --no-owner --no-privileges --role="$owner" --exit-on-error --single-transaction \\
  ${over ? '--clean --if-exists ' : ''}--dbname="$1"`
  return shell(script, { words: [connection(database)] })
}

/** Rows of every table. */
function counts(names: readonly string[]): Inside {
  const count = [
    "SELECT format('SELECT %L || count(*) FROM %I.%I', concat(current_database(), '.', schemaname, '.', tablename, chr(9)), schemaname, tablename)",
    "FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')",
    'ORDER BY schemaname COLLATE "C", tablename COLLATE "C" \\gexec',
  ].join(' ')
  return sql(names.flatMap((name) => [connectTo(name), count]))
}

function sql(lines: readonly string[], secrets: readonly string[] = []): Inside {
  return program([...psql, '--dbname=postgres'], `${preamble}\n${lines.join('\n')}\n`, secrets)
}

function unless(rows: string, statement: string): string {
  return `SELECT ${literal(statement)} WHERE NOT EXISTS (SELECT ${rows}) \\gexec`
}

function onlyIf(rows: string, ...statements: string[]): string[] {
  return statements.map((statement) => `SELECT ${literal(statement)} WHERE EXISTS (SELECT ${rows}) \\gexec`)
}

function inDatabase(name: string): string[] {
  return [connectTo(name), inTurn]
}

function connectTo(name: string): string {
  return `\\connect -reuse-previous=on ${psqlWord(connection(name))}`
}

/** A name of any characters, as the libraries of Postgres read it: a bare one may be taken for a URL. */
function connection(database: string): string {
  return `dbname='${database.replaceAll(/['\\]/g, String.raw`\$&`)}'`
}

/** As an argument of a command of psql. */
function psqlWord(text: string): string {
  return `'${text.replaceAll(/['\\]/g, String.raw`\$&`)}'`
}

export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

export function identifier(text: string): string {
  return `"${text.replaceAll('"', '""')}"`
}
