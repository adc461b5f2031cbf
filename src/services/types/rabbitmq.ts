import { ownHost, program, shell, withPassword } from '../inside.ts'
import type { DataCare, Login, Logins, NativeDump, Part, ServiceType } from '../service-type.ts'
import { isSameOrNewer, seriesOf } from '../versions.ts'

const admin = 'rack'

/**
 * A login by the network, in AMQP 0-9-1, of which the image has no client: protocol header and `start-ok` go out, and
 * `tune` must come in behind the server's `start`, which has its version.
 */
const logIn = String.raw`exec 3<>"/dev/tcp/"${ownHost}/5672 || exit 1
long() { printf '\\x%02x' $(($1 >> 24 & 255)) $(($1 >> 16 & 255)) $(($1 >> 8 & 255)) $(($1 & 255)); }
take() { timeout 5 dd bs=1 count="$1" status=none <&3; }
begin_frame() {
  set -- $(take 7 | od -An -v -tu1)
  [[ $# == 7 ]] && size=$(($4 << 24 | $5 << 16 | $6 << 8 | $7))
}
response=$(printf '\\000%s\\000%s' "$user" "$password")
length=$(($(printf "$response" | wc -c)))
printf 'AMQP\0\0\11\1' >&3
printf "\1\0\0$(long $((length + 24)))\0\12\0\13\0\0\0\0\5PLAIN$(long $length)$response\5en_US\xce" >&3
begin_frame || exit 1
start=$(take $((size + 1)) | tr -c '[:print:]' '\n')
begin_frame && [[ $(take 4 | od -An -v -tu1 | tr -s ' ') == ' 0 10 0 30' ]] || exit 1
sed -n '/versionS$/,$ { /^[0-9][0-9.]*$/ { p; q; } }' <<<"$start"`

const definitions: Part = {
  name: 'definitions.json',
  dump: program(['rabbitmqctl', '--quiet', 'export_definitions', '-']),
  // The administrator of the service that it is put into keeps the password.
  restore: shell(
    `rabbitmqctl --quiet import_definitions && printf '%s' "$RABBITMQ_DEFAULT_PASS" | rabbitmqctl --quiet change_password ${admin}`,
  ),
}

/** Virtual hosts but the one that is always there, and its queues. */
const countOwn = String.raw`hosts=$(rabbitmqctl --quiet list_vhosts name --no-table-headers --silent) || exit 1
queues=$(rabbitmqctl --quiet list_queues name --no-table-headers --silent) || exit 1
{ printf '%s\n' "$hosts" | sed '/^\/$/d'; printf '%s\n' "$queues"; } | sed '/^$/d' | wc -l`

export const rabbitmq: ServiceType = {
  name: 'rabbitmq',
  aliases: ['rabbit', 'amqp'],
  versions: { usual: '3', known: ['4', '3'], format: seriesOf },
  image: (version) => `rabbitmq:${version}`,
  scheme: 'amqp',
  port: 5672,
  dataPath: () => '/var/lib/rabbitmq',
  cpuUnits: 256,
  memoryBytes: 512 * 2 ** 20,
  stopGraceMs: 60_000,
  environment: (adminPassword) => ({
    RABBITMQ_DEFAULT_USER: admin,
    RABBITMQ_DEFAULT_PASS: adminPassword,
    // Its data is in a folder of the node's name, which must not be the container's.
    RABBITMQ_NODENAME: 'rack@localhost',
  }),
  ownLogin({
    RABBITMQ_DEFAULT_USER: username = 'guest',
    RABBITMQ_DEFAULT_PASS: password = 'guest',
    RABBITMQ_DEFAULT_VHOST: host = '/',
  }) {
    return { path: host === '/' ? '' : `/${encodeURIComponent(host)}`, username, password }
  },
  command: null,
  ready: program(['bash', '-c', `user=$RABBITMQ_DEFAULT_USER password=$RABBITMQ_DEFAULT_PASS\n${logIn}`]),
  connections: shell(
    "names=$(rabbitmqctl --quiet list_connections pid --no-table-headers --silent) && printf '%s\\n' \"$names\" | sed '/^$/d' | wc -l",
  ),
  logins: {
    hasOwnData: true,
    create,
    revoke: ({ username }) => unlessGone('user', username),
    prove: ({ username, password }) =>
      withPassword('password', `export user="$1" logIn="$2"\nexec bash -c "$logIn"`, {
        words: [username, logIn],
        password,
      }),
    dropData: (data) => unlessGone('vhost', data),
    listData: shell(
      "names=$(rabbitmqctl --quiet list_vhosts name --no-table-headers --silent) && printf '%s\\n' \"$names\" | sed '/^\\/$/d' | LC_ALL=C sort",
    ),
    listUsers: shell(
      'names=$(rabbitmqctl --quiet list_users --no-table-headers --silent) && printf \'%s\\n\' "$names" | cut -f 1',
    ),
    address: ({ data, username, password }) => ({ path: `/${encodeURIComponent(data)}`, username, password }),
  } satisfies Logins,
  data: {
    says: 'definitions only: users, virtual hosts, exchanges, queues and bindings; no message is in it',
    isVolume: false,
    restartsAfterRestore: false,
    list: null,
    parts: () => [definitions],
    counts: null,
    canRestore: (from, into) => isSameOrNewer(from, into, 2),
  } satisfies DataCare,
  hosted: null,
  native: {
    format: 'definitions, without messages',
    first: null,
    dump: () => definitions.dump,
    contents: () => shell(countOwn),
    load: () => definitions.restore,
    isAtOnce: false,
  } satisfies NativeDump,
  console: null,
  says: ['Its backup has definitions only, no messages.'],
}

/** What is there already is left or set again; all of it by one start of its slow command. */
function create({ data, username, password }: Login) {
  const definitions = {
    vhosts: [{ name: data }],
    users: [{ name: username, password, tags: [] }],
    permissions: [{ user: username, vhost: data, configure: '.*', write: '.*', read: '.*' }],
  }
  return program(['rabbitmqctl', '--quiet', 'import_definitions'], JSON.stringify(definitions), [password])
}

/** Connections of a user, or to a virtual host, end with it. */
function unlessGone(what: 'user' | 'vhost', name: string) {
  const script = `rabbitmqctl --quiet delete_${what} "$1" && exit 0
names=$(rabbitmqctl --quiet list_${what}s --no-table-headers --silent | cut -f 1) || exit 1
! printf '%s\\n' "$names" | grep -qFx -- "$1"`
  return shell(script, { words: [name] })
}
