import { hostedRedis } from '../hosted/hosted-redis.ts'
import { shell, withPassword } from '../inside.ts'
import type { DataCare, Inside, Logins, ManagedCare, NativeDump, ServiceType } from '../service-type.ts'
import { isSameOrNewer } from '../versions.ts'

/** What differs between Redis and those that speak as it does. */
interface Likeness extends Pick<ServiceType, 'name' | 'aliases' | 'versions' | 'image' | 'says'> {
  server: string
  client: string
  /** Of the versions that a cloud has. */
  series: ManagedCare['series']
}

/**
 * Users are in a file of the volume, whose first line is the administrator. A backup that was put into the folder
 * becomes what the server reads: with an append-only file, it would pass over one that lies beside it.
 */
const beforeStart = `umask 077
if [ ! -f /data/users.acl ]; then
  sum=$(printf %s "$SERVICE_PASSWORD" | sha256sum | cut -d ' ' -f 1)
  printf 'user default on #%s ~* &* +@all\\n' "$sum" >/data/users.acl.new && mv /data/users.acl.new /data/users.acl
fi
if [ -f /data/restored/appendonly.aof.manifest ]; then
  rm -rf /data/appendonlydir && mv /data/restored /data/appendonlydir
fi
`

/**
 * Where a cloud runs the server, it is elsewhere, what is said to it is encrypted, and who vouches for its certificate is
 * looked at; the name that it is made out to is not, which these programs cannot. An earlier version has made some that know of
 * no authorities.
 */
const place = `at=
if [ -n "\${SERVICE_HOST:-}" ]; then
  trust=--insecure
  [ -z "\${SERVICE_AUTHORITIES:-}" ] || trust="--cacert $SERVICE_AUTHORITIES"
  at="-h $SERVICE_HOST -p $SERVICE_PORT --tls --sni $SERVICE_HOST $trust"
fi
`

const managed: Omit<ManagedCare, 'series'> = {
  environment: ({ host, port, password, authoritiesFile }) => ({
    SERVICE_HOST: host,
    SERVICE_PORT: String(port),
    SERVICE_PASSWORD: password,
    SERVICE_AUTHORITIES: authoritiesFile,
  }),
  scheme: 'rediss',
  rights: (keyPrefix) => ['on', ...allowed(keyPrefix)].join(' '),
  withheld:
    'ElastiCache lets nobody take a copy or put one in by commands; it keeps a snapshot of each of the last 7 days',
  bringsSeries: false,
  newVersion:
    'ElastiCache ends all connections, keeps what is in it as well as it can, and takes no version back; what it cannot keep is in the snapshot of a day',
  leavesSnapshot: true,
  sizeStays: null,
  noRestart: 'a reboot by ElastiCache takes away all that is in it',
  says: [
    'ElastiCache runs it on one node: where that has to be replaced, what is in it is lost but for the snapshot of a day.',
    'It has no backup, restore, export or import by the rack: ElastiCache keeps a snapshot of each of the last 7 days.',
    'Its links are encrypted (rediss://), and each login is a change of its stack, which takes some minutes.',
  ],
}

/** What a server sends as it makes it ends in a mark of 40 bytes, which its client leaves in a stream. */
function giveBackup(client: string): string {
  return `exec 3>&1
code=$({ { ${client} --rdb - ; echo $? >&4; } | head -c -40 >&3; } 4>&1)
exit "$code"
`
}

/** Complete when the manifest is there, which is written last. */
const takeBackup = `set -e
umask 077
rm -rf /data/restored
mkdir /data/restored
cat >/data/restored/appendonly.aof.1.base.rdb
sync
printf 'file appendonly.aof.1.base.rdb seq 1 type b\\n' >/data/restored/appendonly.aof.manifest
`

export function redisLike({ server, client, series, ...about }: Likeness): ServiceType {
  const login = `export REDISCLI_AUTH="$SERVICE_PASSWORD"
${place}`
  const call = `${client} $at`
  const version = `sed -n 's/^${server.replace('-server', '')}_version://p'`
  const start = `exec docker-entrypoint.sh ${server} --aclfile /data/users.acl --appendonly yes --repl-diskless-sync yes`
  return {
    ...about,
    scheme: 'redis',
    port: 6379,
    dataPath: () => '/data',
    cpuUnits: 128,
    memoryBytes: 256 * 2 ** 20,
    stopGraceMs: 30_000,
    environment: (adminPassword) => ({ SERVICE_PASSWORD: adminPassword }),
    ownLogin: () => ({ path: '', username: '', password: '' }),
    command: ['sh', '-c', beforeStart + start],
    ready: shell(`${login}${call} -e PING >/dev/null && ${call} INFO server | tr -d '\\r' | ${version}`),
    connections: shell(
      `${login}${call} -e INFO clients | tr -d '\\r' | awk -F: '$1 == "connected_clients" { print $2 - 1 }'`,
    ),
    logins: loginsBy(login, call),
    data: dataBy(login, call),
    hosted: hostedRedis(client, `${server.replace('-server', '')}_version`),
    native: nativeBy(login, call),
    console: () => shell(`${login}exec ${call}`),
    managed: { ...managed, series },
  }
}

function loginsBy(login: string, client: string): Logins {
  /** Lines of the client's own; the first that fails ends it badly. */
  const run = (lines: readonly string[][], secrets: readonly string[] = []): Inside => {
    const input = lines.map((words) => `${words.map(quoted).join(' ')}\n`).join('')
    return shell(`${login}exec ${client} -e`, { input, secrets })
  }
  const save = ['ACL', 'SAVE']
  const nothing = shell(':')
  return {
    hasOwnData: false,
    create({ username, password, keyPrefix }) {
      const user = ['ACL', 'SETUSER', username, 'reset', 'on', `>${password}`, ...allowed(keyPrefix)]
      return run([user, save], [password])
    },
    // The sessions of a user who is deleted end with it.
    revoke: ({ username }) => run([['ACL', 'DELUSER', username], save]),
    prove: ({ username, password }) =>
      withPassword(
        'REDISCLI_AUTH',
        `${place}at="\${at:--h $(hostname -i | cut -d ' ' -f 1)}"
exec ${client} -e --no-auth-warning --user "$1" PING`,
        {
          words: [username],
          password,
        },
      ),
    dropData: () => nothing,
    listData: nothing,
    listUsers: run([['ACL', 'USERS']]),
    address: ({ username, password }) => ({ path: '', username, password }),
  }
}

function dataBy(login: string, client: string): DataCare {
  // Those that end by themselves do so meanwhile.
  const keys = `awk -F '[:=,]' '/^db[0-9]*:/ { print $1 "\\t" $3 - $5 }'`
  return {
    says: 'all keys as they were at one instant; users are not in it',
    isVolume: false,
    restartsAfterRestore: true,
    list: null,
    parts: () => [{ name: 'dump.rdb', dump: shell(login + giveBackup(client)), restore: shell(takeBackup) }],
    counts: () => shell(`${login}${client} -e INFO keyspace | tr -d '\\r' | ${keys}`),
    canRestore: isSameOrNewer,
  }
}

function nativeBy(login: string, client: string): NativeDump {
  const sum = `awk -F '[=,]' '/^db[0-9]*:/ { sum += $2 } END { print sum + 0 }'`
  return {
    format: 'an RDB',
    first: null,
    dump: () => shell(login + giveBackup(client)),
    contents: () => shell(`${login}${client} -e INFO keyspace | tr -d '\\r' | ${sum}`),
    load: null,
    isAtOnce: true,
  }
}

/** Nothing that concerns the server, or other links where one has keys of its own. */
function allowed(keyPrefix: string | null): string[] {
  const usual = [
    '+@all',
    '-@admin',
    '-@dangerous',
    '+info',
    '+sort',
    '+sort_ro',
    '+keys',
    '+flushdb',
    '+flushall',
  ]
  if (keyPrefix === null) return ['~*', '&*', ...usual]
  const others = ['-keys', '-scan', '-randomkey', '-dbsize', '-flushdb', '-flushall', '-swapdb']
  const pattern = keyPrefix.replaceAll(/[*?[\]\\^]/g, String.raw`\$&`)
  return [`~${pattern}*`, `&${pattern}*`, ...usual, ...others]
}

/** A word as the client reads it: every byte that is not plain is written by its number. */
export function quoted(word: string): string {
  const bytes = new TextEncoder().encode(word)
  const text = Array.from(bytes, (byte) => {
    const character = String.fromCharCode(byte)
    return /[\w@+~&*>.:-]/.test(character) ? character : String.raw`\x${byte.toString(16).padStart(2, '0')}`
  })
  return `"${text.join('')}"`
}
