import { shell } from '../inside.ts'
import type { DataCare, Inside, Login, Logins, NativeDump, ServiceType } from '../service-type.ts'
import { isSameOrNewer, seriesOf } from '../versions.ts'

const admin = 'rack'

/** A file descriptor for the password: the tools take it from a file or an argument only. */
const toolLogin = `--username ${admin} --authenticationDatabase admin --config /dev/fd/3 3<<EOF
password: "$MONGO_INITDB_ROOT_PASSWORD"
EOF`

const namesToPrint =
  "db.adminCommand({ listDatabases: 1, nameOnly: true }).databases.map(({ name }) => name).filter((name) => !['admin', 'config', 'local'].includes(name)).sort().forEach((name) => print(name))"

export const mongo: ServiceType = {
  name: 'mongo',
  aliases: ['mongodb'],
  versions: { usual: '7.0', known: ['8.0', '7.0', '6.0'], format: seriesOf },
  image: (version) => `mongo:${version}`,
  scheme: 'mongodb',
  port: 27_017,
  dataPath: () => '/data/db',
  cpuUnits: 256,
  memoryBytes: 512 * 2 ** 20,
  stopGraceMs: 60_000,
  environment: (adminPassword) => ({
    MONGO_INITDB_ROOT_USERNAME: admin,
    MONGO_INITDB_ROOT_PASSWORD: adminPassword,
  }),
  ownLogin: ({ MONGO_INITDB_ROOT_USERNAME = '', MONGO_INITDB_ROOT_PASSWORD = '' }) => {
    return { path: '', username: MONGO_INITDB_ROOT_USERNAME, password: MONGO_INITDB_ROOT_PASSWORD }
  },
  command: null,
  ready: script(['print(db.version())']),
  connections: script(['print(db.serverStatus().connections.current - 1)']),
  logins: {
    hasOwnData: true,
    create,
    revoke: ({ data, username }) =>
      script([
        `const room = db.getSiblingDB(${JSON.stringify(data)})`,
        `if (room.getUser(${JSON.stringify(username)})) room.dropUser(${JSON.stringify(username)})`,
      ]),
    prove: ({ data, username, password }) =>
      shell('exec mongosh --quiet --norc --file /dev/stdin', {
        input: `db.getSiblingDB(${JSON.stringify(data)}).auth(${JSON.stringify(username)}, ${JSON.stringify(password)})\n`,
        secrets: [password],
      }),
    dropData: (data) =>
      script([
        `const room = db.getSiblingDB(${JSON.stringify(data)})`,
        'room.dropAllUsers()',
        'room.dropDatabase()',
      ]),
    listData: script([namesToPrint]),
    listUsers: script([
      'db.adminCommand({ usersInfo: { forAllDBs: true } }).users.forEach((one) => print(`${one.user}\\t${one.db}`))',
    ]),
    address: ({ data, username, password }) => ({ path: `/${encodeURIComponent(data)}`, username, password }),
  } satisfies Logins,
  data: {
    says: 'all databases with their users; not of one instant, unless nobody writes',
    isVolume: false,
    restartsAfterRestore: false,
    list: script([namesToPrint]),
    parts: () => [
      {
        name: 'dump.archive',
        dump: shell(`exec mongodump --quiet --archive ${toolLogin}`),
        // The administrator is the one of the service that it is put into.
        restore: shell(`exec mongorestore --quiet --archive --nsExclude 'admin.*' ${toolLogin}`),
      },
    ],
    counts: (names) =>
      script([
        `for (const name of ${JSON.stringify(names)}) {`,
        '  const room = db.getSiblingDB(name)',
        '  for (const one of room.getCollectionNames().sort()) print(`${name}.${one}\\t${room.getCollection(one).countDocuments({})}`)',
        '}',
      ]),
    canRestore: (from, into) => isSameOrNewer(from, into, 2),
  } satisfies DataCare,
  hosted: null,
  native: {
    format: "mongodump's archive",
    first: null,
    dump: (database) => shell(`exec mongodump --archive --db="$1" ${toolLogin}`, { words: [database] }),
    contents: (database) =>
      script([`print(db.getSiblingDB(${JSON.stringify(database)}).getCollectionNames().length)`]),
    load: (database, over) => {
      const names = String.raw`--nsFrom='$from$.$what$' --nsTo="$1.\$what\$"`
      const drop = over ? ' --drop' : ''
      return shell(`exec mongorestore --archive --stopOnError ${names}${drop} ${toolLogin}`, {
        words: [database],
      })
    },
    isAtOnce: false,
  } satisfies NativeDump,
  console: (database) =>
    shell(
      `exec mongosh "$@" --eval 'db.getSiblingDB("admin").auth("${admin}", process.env.MONGO_INITDB_ROOT_PASSWORD)' --shell`,
      { words: database === null ? [] : [database] },
    ),
  says: ["Not proved on a real server, none of which could be had: it follows its image's documentation."],
}

function create({ data, username, password }: Login): Inside {
  const user = { pwd: password, roles: [{ role: 'dbOwner', db: data }] }
  const [room, name, given] = [data, username, user].map((value) => JSON.stringify(value))
  return script(
    [
      `const room = db.getSiblingDB(${room})`,
      `room.getUser(${name}) ? room.updateUser(${name}, ${given}) : room.createUser({ user: ${name}, ...${given} })`,
    ],
    [password],
  )
}

function script(lines: readonly string[], secrets: readonly string[] = []): Inside {
  const login = `db.getSiblingDB('admin').auth('${admin}', process.env.MONGO_INITDB_ROOT_PASSWORD)`
  return shell('exec mongosh --quiet --norc --file /dev/stdin', {
    input: `${[login, ...lines].join('\n')}\n`,
    secrets,
  })
}
