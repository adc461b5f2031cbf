import { dockerFeatures } from '../../../domain/docker-features.ts'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readCompose } from '../../../../test/support/compose.ts'
import type { TypeMount } from '../../../domain/container.ts'
import { strictPolicy } from '../../../domain/policy.ts'
import { readManifest } from '../../read-manifest.ts'

function read(keys: string, policy = strictPolicy) {
  return readCompose(
    `services:\n  web:\n    image: x\n    ${keys}\nvolumes:\n  data:\n  more: { driver: local }\n`,
    {},
    { policy },
  )
}

test('named volumes, in both syntaxes', () => {
  const { processes, volumes, problems } = read(
    'volumes: ["data:/data/", "more:/more:ro", { type: volume, source: data, target: /x, read_only: true }, { type: tmpfs, target: /t }]\n    tmpfs: [/run, "/tmp:mode=1777"]',
  )
  assert.deepEqual(problems, [])
  assert.deepEqual(
    processes[0]?.mounts.map(
      (mount) => `${mount.kind === 'volume' ? mount.volume : mount.kind} ${mount.path} ${mount.readOnly}`,
    ),
    [
      'data /data false',
      'more /more true',
      'data /x true',
      'tmpfs /t false',
      'tmpfs /run false',
      'tmpfs /tmp false',
    ],
  )
  assert.deepEqual(volumes, ['data', 'more'])
})

test('a volume without a source is new with every copy, as in Compose, and is warned about', () => {
  for (const keys of ['volumes: [{ type: volume, target: /x }]', 'volumes: [/x]']) {
    const { processes, problems } = read(keys)
    assert.deepEqual(processes[0]?.mounts, [{ kind: 'discarded', path: '/x', readOnly: false }])
    assert.match(problems.join('\n'), /^\d+:\d+: warning: .*without a name is new with every copy; name it/)
  }
})

const open = { ...strictPolicy, binds: ['/srv/data'] }

test('every way in which a mount is written', () => {
  const table: [keys: string, mount: Partial<TypeMount>][] = [
    ['volumes: ["data:/x:nocopy"]', { kind: 'volume', noCopy: true }],
    ['volumes: ["data:/x:ro,nocopy,z"]', { kind: 'volume', noCopy: true, readOnly: true }],
    ['volumes: [{ type: volume, source: data, target: /x, volume: { nocopy: true } }]', { noCopy: true }],
    ['volumes: ["/srv/data:/x:ro"]', { kind: 'bind', source: '/srv/data', path: '/x', readOnly: true }],
    [
      'volumes: ["/etc/localtime:/etc/localtime"]',
      { kind: 'bind', source: '/etc/localtime', path: '/etc/localtime', readOnly: true },
    ],
    ['volumes: ["/srv/./data//a/:/x"]', { kind: 'bind', source: '/srv/data/a', readOnly: false }],
    [
      'volumes: [{ type: bind, source: /srv/data/b, target: /x, read_only: true, bind: { propagation: rprivate } }]',
      { kind: 'bind', source: '/srv/data/b', path: '/x', readOnly: true },
    ],
    [
      'volumes: [{ type: tmpfs, target: /x, tmpfs: { size: 64m, mode: 0700 } }]',
      { kind: 'tmpfs', sizeBytes: 64 * 1024 * 1024, mode: 0o700, options: [] },
    ],
    ['volumes: [{ type: tmpfs, target: /x, tmpfs: { size: 4096 } }]', { sizeBytes: 4096, mode: null }],
    [
      'tmpfs: "/x:size=1m,mode=1777,uid=1000,exec,ro"',
      { sizeBytes: 1024 * 1024, mode: 0o1777, options: ['uid=1000', 'exec'], readOnly: true },
    ],
  ]
  for (const [keys, expected] of table) {
    const { processes, problems } = read(keys, open)
    assert.deepEqual(problems, [], keys)
    const mount: Partial<TypeMount> = processes[0]?.mounts[0] ?? {}
    assert.deepEqual({ ...mount, ...expected }, mount, keys)
  }
})

test('a path of the host needs the policy of the rack', () => {
  const { manifest, problems } = readManifest(
    {
      files: [
        { path: 'c.yml', text: 'services: { web: { image: x, volumes: ["/srv/data/../keys:/x:ro"] } }' },
      ],
      dotenv: null,
      texts: {},
      contents: {},
    },
    { environment: {}, features: dockerFeatures, policy: open },
  )
  assert.equal(manifest, null)
  assert.deepEqual(
    problems.map(({ kind, severity, message, hint }) => [kind, severity, message, hint]),
    [
      [
        'policy',
        'error',
        'the path "/srv/data/../keys" of the host may not be mounted: the rack\'s policy does not allow it',
        'allow it with `rack policy set --allow-bind /srv/keys`, or for a new rack `rack install --allow-bind /srv/keys`; for data use a named volume: "data:/path"',
      ],
    ],
  )
})

test('what a rack does not mount is refused with what to do', () => {
  const table: [keys: string, problem: RegExp][] = [
    ['volumes: ["~/x:/x"]', /your home directory is not on the rack/],
    ['volumes: [data]', /^[^\n]*a mount needs an absolute path below \/; write where.*"data:\/path"$/],
    ['volumes: ["./docker.sock:/x"]', /no access to the rack's engine/],
    ['volumes: [{ type: bind, source: "", target: /x }]', /a bind mount needs `source`/],
    ['volumes: ["C:\\\\data:/x"]', /is a path on Windows/],
    ['volumes: ["C:/data:/x"]', /is a path on Windows/],
    ['volumes: ["v:/x:ro"]', /the volume "v" is not declared/],
    ['volumes: ["/etc:/etc:ro"]', /4:15: error: .*policy does not allow it; allow it with `rack policy set/],
    ['volumes: ["/srv/database:/x"]', /policy does not allow it/],
    ['volumes: ["/srv/data/docker.sock:/x"]', /no access to the rack's engine/],
    [
      'volumes: ["/var/run/docker.sock:/var/run/docker.sock:ro"]',
      /4:15: error: .*no access to the rack's engine/,
    ],
    ['volumes: [{ type: bind, target: /x }]', /a bind mount needs `source`/],
    ['volumes: ["/srv/data:/x:rshared"]', /the mode "rshared" would reach other mounts/],
    ['volumes: ["/srv/data:/x:z"]', /warning: .*no SELinux label/],
    [
      'volumes: [{ type: bind, source: /srv/data, target: /x, bind: { propagation: shared } }]',
      /"propagation" is refused/,
    ],
    ['volumes: [{ type: volume, source: data, target: /x, tmpfs: { size: 1m } }]', /`tmpfs` says nothing/],
    ['volumes: ["dat:/x"]', /the volume "dat" is not declared; did you mean "data"/],
    ['volumes: ["something:/x"]', /not declared; declare it under `volumes:`/],
    ['volumes: ["data:/x", "more:/x/"]', /"\/x" is mounted twice/],
    ['volumes: ["data:x"]', /absolute path/],
    ['volumes: ["data:/"]', /absolute path/],
    ['volumes: ["data:/a/../b"]', /absolute path/],
    ['volumes: ["data:/x:rox"]', /the mode "rox" is not known; did you mean "ro"/],
    ['volumes: ["a:b:c:d"]', /is not a volume/],
    ['volumes: [{ type: npipe, target: /x }]', /the type "npipe" is refused: a rack runs Linux/],
    ['volumes: [{ type: image, source: x, target: /x }]', /"image" is refused.*COPY --from/],
    ['volumes: [{ type: volum, source: data, target: /x }]', /"volum" is not known; did you mean "volume"/],
    [
      'volumes: [{ type: volume, source: data, target: /x, volume: { subpath: a } }]',
      /"subpath" is refused: a volume is mounted whole/,
    ],
    ['volumes: [{ type: volume, source: data }]', /needs `target`/],
    ['volumes: [/cache]', /warning: .*new with every copy; name it/],
    ['tmpfs: "/run:size=50%"', /the size in .* is not a number of bytes/],
    ['tmpfs: "/run:szie=1m"', /the option "szie=1m" is not one of a tmpfs; did you mean "size"/],
    [
      'tmpfs: "/run:mode=999"',
      /the mode in "mode=999" is not permission bits; write "\/run:size=64m,mode=1777"/,
    ],
    ['tmpfs: "/run:uid=daemon"', /"uid=daemon" needs a number; write "uid=1000"/],
    ['tmpfs: "/run:size"', /the option "size" needs a size/],
    ['tmpfs: "/run:ro=1"', /the option "ro=1" takes no value/],
    ['tmpfs: "run"', /absolute path/],
  ]
  for (const [keys, pattern] of table) assert.match(read(keys, open).problems.join('\n'), pattern, keys)
})

test('the volumes of another process', () => {
  const text = (web: string, data = 'volumes: ["data:/a", "more:/b:ro"]') => `services:
  web: { image: x, ${web} }
  data: { image: x, ${data} }
  deep: { image: x, volumes_from: [web] }
volumes: { data: , more: }
`
  const paths = (web: string) => {
    const { processes, problems } = readCompose(text(web))
    assert.deepEqual(problems, [], web)
    return processes.map(({ mounts }) =>
      mounts.map(
        (mount) =>
          `${mount.path}${mount.readOnly ? ' ro' : ''} ${'volume' in mount ? mount.volume : mount.kind}`,
      ),
    )
  }
  assert.deepEqual(paths('volumes_from: [data]'), [
    ['/a data', '/b ro more'],
    ['/a data', '/b ro more'],
    ['/a data', '/b ro more'],
  ])
  assert.deepEqual(paths('volumes_from: ["data:ro"], tmpfs: /b')[0], ['/a ro data', '/b tmpfs'])
  const table: [web: string, data: string | undefined, problem: RegExp][] = [
    ['volumes_from: [dta]', undefined, /2:35: error: .*there is no process "dta"; did you mean "data"/],
    ['volumes_from: ["container:x"]', undefined, /"container:x" is refused: a rack runs nothing outside/],
    ['volumes_from: ["data:rx"]', undefined, /the mode "rx" is not known/],
    ['volumes_from: [data]', 'volumes: [/a]', /a volume of "data" has no name, so it cannot be shared/],
    ['volumes_from: [data]', 'user: x', /the process "data" names no volumes/],
    ['volumes_from: [data]', 'volumes_from: [deep]', /loop has volumes of its own: web → data → deep → web/],
  ]
  for (const [web, data, pattern] of table)
    assert.match(readCompose(text(web, data)).problems.join('\n'), pattern, web)
})
