import { shell } from '../inside.ts'
import type { ServiceType } from '../service-type.ts'
import { seriesOf } from '../versions.ts'

/** The image has no client: its shell, or its `nc`, asks. */
const ask = `export host="\${SERVICE_HOST:-127.0.0.1}"
ask() {
  if command -v bash >/dev/null; then
    bash -c 'exec 3<>"/dev/tcp/$host/11211" && printf "version\\r\\n" >&3 && IFS= read -r -t 5 line <&3 && printf "%s\\n" "$line"'
  else
    printf 'version\\r\\nquit\\r\\n' | nc -w 5 "$host" 11211
  fi
}
`

/** Three quarters of what its container may have are for its items. */
const start = `limit=$(cat /sys/fs/cgroup/memory.max 2>/dev/null || cat /sys/fs/cgroup/memory/memory.limit_in_bytes)
[ "$limit" -gt 0 ] 2>/dev/null || limit=134217728
exec memcached --memory-limit=$((limit / 1048576 * 3 / 4))`

export const memcached: ServiceType = {
  name: 'memcached',
  aliases: ['memcache'],
  versions: { usual: '1.6', known: ['1.6'], format: seriesOf },
  image: (version) => `memcached:${version}`,
  scheme: 'memcached',
  port: 11_211,
  dataPath: () => null,
  cpuUnits: 128,
  memoryBytes: 128 * 2 ** 20,
  stopGraceMs: 5000,
  environment: () => ({}),
  ownLogin: () => ({ path: '', username: '', password: '' }),
  command: ['sh', '-c', start],
  ready: shell(
    `${ask}answer=$(ask | tr -d '\\r') && [ -z "\${answer##VERSION *}" ] && echo "\${answer#VERSION }"`,
  ),
  connections: null,
  logins: null,
  data: null,
  hosted: null,
  managed: {
    environment: ({ host }) => ({ SERVICE_HOST: host }),
    scheme: null,
    rights: null,
    withheld: null,
    series: ['1.4', '1.5', '1.6'],
    bringsSeries: false,
    newVersion: 'All that is in it is gone then, and ElastiCache takes no version back',
    leavesSnapshot: false,
    noRestart: 'the rack has ElastiCache reboot none, and a reboot takes away all that is in it',
    sizeStays: 'CloudFormation gives a memcached that is there no other node',
    says: [
      'Its connections are not encrypted, as on one machine; processes of the rack reach it, and nobody else.',
      'It stays on the node that it is made on: --memory says now how large that is.',
      'Nothing of it is left when it is deleted: there are no snapshots.',
    ],
  },
  native: 'a memcached keeps nothing',
  console: null,
  says: [
    'It knows no logins: every app that is linked sees all of it.',
    'It keeps nothing: there is no backup.',
  ],
}
