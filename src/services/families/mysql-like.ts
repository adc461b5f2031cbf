import { dumpOptions, dumpProgram, hostedMysql, placeOptions } from '../hosted/hosted-mysql.ts'
import type { Environment } from '../../domain/environment.ts'
import { shell, withPassword } from '../inside.ts'
import type { DataCare, Inside, Login, Logins, NativeDump, Part, ServiceType } from '../service-type.ts'
import { isSameOrNewer } from '../versions.ts'

/** What differs between MySQL and those that speak as it does. */
interface Likeness extends Pick<ServiceType, 'name' | 'aliases' | 'versions' | 'image' | 'managed' | 'says'> {
  /** The variable of the image that has the password of `root`. */
  passwordVariable: string
}

const systemSchemas = "('mysql', 'information_schema', 'performance_schema', 'sys')"

/** Nobody's but the server's own, or the cloud's that runs it. */
const systemUsers =
  "('root', 'mariadb.sys', 'mysql.sys', 'mysql.session', 'mysql.infoschema', 'healthcheck', '', 'rdsadmin', 'rdsrepladmin', 'rds_superuser_role')"

export function mysqlLike({ passwordVariable, ...about }: Likeness): ServiceType {
  const clients = clientsBy(passwordVariable)
  return {
    ...about,
    scheme: 'mysql',
    port: 3306,
    dataPath: () => '/var/lib/mysql',
    cpuUnits: 256,
    memoryBytes: 512 * 2 ** 20,
    stopGraceMs: 60_000,
    environment: (adminPassword) => ({ [passwordVariable]: adminPassword }),
    ownLogin,
    command: null,
    // While the image sets itself up, its server has no network.
    ready: shell(`${clients}client --connect-timeout=5 --execute='SELECT VERSION()'`),
    connections: shell(
      `${clients}client`,
      statements([
        "SELECT COUNT(*) FROM information_schema.processlist WHERE id <> CONNECTION_ID() AND user NOT IN ('system user', 'event_scheduler', 'rdsadmin');",
      ]),
    ),
    logins: loginsBy(clients),
    data: dataBy(clients),
    hosted: hostedMysql,
    native: nativeBy(clients),
    console: (database) =>
      shell(`${clients}exec "$(command -v mariadb || command -v mysql)" $login "$@"`, {
        words: database === null ? [] : [`--database=${database}`],
      }),
  }
}

/** MariaDB's image knows both names, MySQL's its own alone. */
function ownLogin(variables: Environment) {
  const read = (name: string) => variables[`MARIADB_${name}`] ?? variables[`MYSQL_${name}`]
  const [database, user] = [read('DATABASE'), read('USER')]
  const password = (user === undefined ? read('ROOT_PASSWORD') : read('PASSWORD')) ?? ''
  const path = database === undefined ? '' : `/${encodeURIComponent(database)}`
  return { path, username: user ?? 'root', password }
}

/**
 * Where a cloud runs the server, it is elsewhere, what is said to it is encrypted, and its certificate is looked at, with the
 * name that it is made out to; MariaDB's programs and MySQL's have other words for that. An earlier version has made some that
 * know of no authorities.
 */
const tls = `tls=
[ -z "\${SERVICE_HOST:-}" ] || tls=$(command -v mariadb >/dev/null && echo --ssl || echo --ssl-mode=REQUIRED)
[ -z "\${SERVICE_AUTHORITIES:-}" ] || tls="--ssl-ca=$SERVICE_AUTHORITIES $(command -v mariadb >/dev/null && echo --ssl-verify-server-cert || echo --ssl-mode=VERIFY_IDENTITY)"
`

/** The clients of one are called otherwise than those of the other, and some images have both names. */
function clientsBy(passwordVariable: string): string {
  return `${tls}export MYSQL_PWD="$${passwordVariable}"
login="--user=\${SERVICE_USER:-root} --protocol=tcp --host=\${SERVICE_HOST:-127.0.0.1} --port=\${SERVICE_PORT:-3306} $tls"
login="$login --default-character-set=utf8mb4"
client() { "$(command -v mariadb || command -v mysql)" $login --batch --raw --skip-column-names "$@"; }
`
}

/** Where the server is, for a shell: by the loopback address it may trust everybody. */
const serverHost = `"\${SERVICE_HOST:-$(hostname -i | cut -d ' ' -f 1)}"`

function loginsBy(clients: string): Logins {
  return {
    hasOwnData: true,
    create: (login) => shell(`${clients}client`, statements(createStatements(login), [login.password])),
    // A session that ends by itself meanwhile is no failure.
    revoke: (login) => runPrinted(clients, revokeStatements(login), '{ client --force 2>/dev/null || :; }'),
    prove: ({ data, username, password }) =>
      withPassword(
        'MYSQL_PWD',
        `${tls}exec "$(command -v mariadb || command -v mysql)" --protocol=tcp --host=${serverHost} \\
  --port="\${SERVICE_PORT:-3306}" $tls --connect-timeout=5 --user="$1" --database="$2" --execute='SELECT 1'`,
        { words: [username, data], password },
      ),
    dropData: (data) => runPrinted(clients, dropStatements(data)),
    listData: shell(`${clients}client`, statements([listSchemas])),
    // A grant's database is a pattern. Links have all that there is.
    listUsers: shell(
      `${clients}client`,
      statements([
        String.raw`SELECT DISTINCT user, REPLACE(db, '\\', '') FROM mysql.db WHERE host = '%' AND Drop_priv = 'Y' AND Trigger_priv = 'Y' AND Alter_routine_priv = 'Y';`,
      ]),
    ),
    address: ({ data, username, password }) => ({ path: `/${encodeURIComponent(data)}`, username, password }),
  }
}

function dataBy(clients: string): DataCare {
  return {
    says: 'a dump of each database, each of one instant of its own, and the users',
    isVolume: false,
    restartsAfterRestore: false,
    list: shell(`${clients}client`, statements([listSchemas])),
    parts: (names) => [
      accountsPart(clients),
      ...names.map((name) => schemaPart(clients, name)),
      usersPart(clients),
    ],
    counts: (names) => runPrinted(clients, [countStatements(names)]),
    canRestore: (from, into) => isSameOrNewer(from, into, 2),
  }
}

/** Without the database's own name, so that another one takes it. */
function nativeBy(clients: string): NativeDump {
  return {
    format: 'statements of mysqldump',
    first: null,
    dump: (database) => dumpOf(clients, database),
    contents: (database) => {
      const counts = Object.entries({ TABLES: 'table', ROUTINES: 'routine', EVENTS: 'event' }).map(
        ([table, word]) =>
          `(SELECT COUNT(*) FROM information_schema.${table} WHERE ${word}_schema = ${literal(database)})`,
      )
      return shell(`${clients}client`, statements([`SELECT ${counts.join(' + ')};`]))
    },
    // Its statements drop a table of the same name by themselves.
    load: (database) => shell(`${clients}client --database="$1"`, { words: [database] }),
    isAtOnce: false,
  }
}

function dumpOf(clients: string, name: string, ...more: string[]): Inside {
  const options = [dumpOptions, placeOptions, ...more]
  const script = `exec ${dumpProgram} $login ${options.join(' ')} -- "$1"`
  return shell(clients + script, { words: [name] })
}

function statements(lines: readonly string[], secrets: readonly string[] = []) {
  return { input: `${preamble}\n${lines.join('\n')}\n`, secrets }
}

/** Runs what the statements print. */
function runPrinted(clients: string, lines: readonly string[], second = 'client'): Inside {
  const script = `printed=$(client) && printf '%s\\n' "$printed" | ${second}`
  return shell(clients + script, statements(lines))
}

/** A backslash escapes, whatever the server is set to. */
const preamble = "SET SESSION sql_mode = '';"

const inTurn = "DO GET_LOCK('rack.logins', 60);"

const listSchemas = `SELECT schema_name FROM information_schema.schemata WHERE schema_name NOT IN ${systemSchemas} ORDER BY BINARY schema_name;`

function createStatements({ data, username, password }: Login): string[] {
  const [user, secret] = [account(username), literal(password)]
  return [
    inTurn,
    `CREATE DATABASE IF NOT EXISTS ${identifier(data)} CHARACTER SET utf8mb4;`,
    `CREATE USER IF NOT EXISTS ${user} IDENTIFIED BY ${secret};`,
    `ALTER USER ${user} IDENTIFIED BY ${secret} ACCOUNT UNLOCK;`,
    `GRANT ALL PRIVILEGES ON ${grantPattern(data)}.* TO ${user};`,
  ]
}

/** Where a cloud runs the server, only a procedure of its own ends what another user does. */
const killing =
  "SELECT CONCAT(IF((SELECT COUNT(*) FROM information_schema.routines WHERE routine_schema = 'mysql' AND routine_name = 'rds_kill') > 0, CONCAT('CALL mysql.rds_kill(', id, ')'), CONCAT('KILL ', id)), ';')"

/** A view, trigger or routine acts as who defined it: such a user stays, locked. */
function revokeStatements({ username }: Pick<Login, 'username'>): string[] {
  const definer = literal(`${username}@%`)
  const defined = ['VIEWS', 'TRIGGERS', 'ROUTINES', 'EVENTS'].map(
    (table) => `NOT EXISTS (SELECT 1 FROM information_schema.${table} WHERE DEFINER = ${definer})`,
  )
  return [
    inTurn,
    `ALTER USER IF EXISTS ${account(username)} ACCOUNT LOCK;`,
    `${killing} FROM information_schema.processlist WHERE user = ${literal(username)};`,
    `SELECT ${literal(`DROP USER IF EXISTS ${account(username)};`)} FROM DUAL WHERE ${defined.join(' AND ')};`,
  ]
}

function dropStatements(data: string): string[] {
  return [
    inTurn,
    `SELECT ${literal(`DROP DATABASE IF EXISTS ${identifier(data)};`)};`,
    "SELECT DISTINCT CONCAT('DROP USER IF EXISTS ', QUOTE(user), '@', QUOTE(host), ';') FROM mysql.db",
    `WHERE db = ${literal(grantPattern(data).slice(1, -1).replaceAll('``', '`'))};`,
  ]
}

function schemaPart(clients: string, name: string): Part {
  return {
    name: `${encodeURIComponent(name)}.sql`,
    dump: dumpOf(clients, name, '--databases'),
    restore: shell(`${clients}client`),
  }
}

/** MySQL keeps bytes in its hashes that are no text. */
const asHex =
  "SELECT IF(VERSION() LIKE '%MariaDB%', 'DO 0;', 'SET SESSION print_identified_with_as_hex = 1;');"

const everyUser = (what: string) =>
  `SELECT CONCAT('SHOW ${what} ', QUOTE(user), '@', QUOTE(host), ';') FROM mysql.user WHERE user NOT IN ${systemUsers} AND user <> SUBSTRING_INDEX(USER(), '@', 1) AND host <> '';`

/** What each of such statements shows, as statements. */
function shownBy(clients: string, lines: readonly string[]): Inside {
  const script = `shown=$(client) || exit 1
[ -z "$shown" ] && exit 0
statements=$(printf '%s\\n' "$shown" | client) || exit 1
printf '%s\\n' "$statements" | sed -e 's/^CREATE USER /CREATE USER IF NOT EXISTS /' -e 's/$/;/'`
  return shell(clients + script, statements(lines))
}

/** No database's part is called so: theirs end in `.sql`, as that of all users did. First: a server that a cloud runs makes no view, trigger or routine of a user who is not there. */
function accountsPart(clients: string): Part {
  return {
    name: 'accounts.users',
    dump: shownBy(clients, [asHex, everyUser('CREATE USER')]),
    restore: shell(`${clients}client`),
  }
}

/**
 * Last: what it grants may be of a routine. Where a cloud runs the server nobody has all rights, and so nobody is given
 * what is of the whole server.
 */
function usersPart(clients: string): Part {
  return {
    name: 'rights.users',
    dump: shownBy(clients, [asHex, everyUser('CREATE USER'), everyUser('GRANTS FOR')]),
    restore: shell(
      `${clients}[ -n "\${SERVICE_HOST:-}" ] || { client; exit; }
sed -e '/^GRANT USAGE /b' -e '/^GRANT .* ON \\*\\.\\* TO /d' | client`,
    ),
  }
}

function countStatements(names: readonly string[]): string {
  const schemas = ["''", ...names.map(literal)].join(', ')
  const table = "CONCAT('`', REPLACE(table_schema, '`', '``'), '`.`', REPLACE(table_name, '`', '``'), '`')"
  return `SELECT CONCAT('SELECT ', QUOTE(CONCAT(table_schema, '.', table_name)), ', COUNT(*) FROM ', ${table}, ';') FROM information_schema.tables WHERE table_type = 'BASE TABLE' AND table_schema IN (${schemas}) ORDER BY BINARY table_schema, BINARY table_name;`
}

function account(username: string): string {
  return `${literal(username)}@'%'`
}

export function literal(text: string): string {
  return `'${text.replaceAll(/['\\]/g, String.raw`\$&`)}'`
}

export function identifier(text: string): string {
  return `\`${text.replaceAll('`', '``')}\``
}

/** In a grant, a database's name is a pattern. */
function grantPattern(data: string): string {
  return identifier(data.replaceAll(/[_%\\]/g, String.raw`\$&`))
}
