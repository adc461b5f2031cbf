import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readCompose } from '../../../test/support/compose.ts'

function read(keys: string) {
  return readCompose(
    `services:\n  web:\n    image: x\n    ${keys}\nvolumes:\n  data:\n  more: { driver: local }\n`,
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

test('what a rack does not mount is refused with what to do', () => {
  const table: [keys: string, problem: RegExp][] = [
    ['volumes: ["./src:/app"]', /the directory ".\/src" of the host is refused.*COPY/],
    ['volumes: ["/etc:/etc:ro"]', /of the host is refused/],
    ['volumes: ["~/x:/x"]', /of the host is refused/],
    ['volumes: ["/var/run/docker.sock:/var/run/docker.sock"]', /no access to the rack's engine/],
    ['volumes: [{ type: bind, source: ., target: /x }]', /of the host is refused/],
    ['volumes: ["dat:/x"]', /the volume "dat" is not declared; did you mean "data"/],
    ['volumes: ["something:/x"]', /not declared; declare it under `volumes:`/],
    ['volumes: ["data:/x", "more:/x/"]', /\/x is mounted twice/],
    ['volumes: ["data:x"]', /absolute path/],
    ['volumes: ["data:/"]', /absolute path/],
    ['volumes: ["data:/x:nocopy"]', /the mode "nocopy" is not supported/],
    ['volumes: ["a:b:c:d"]', /is not a volume/],
    ['volumes: [{ type: npipe, target: /x }]', /the type "npipe" is not supported/],
    ['volumes: [{ type: volume, source: data }]', /needs `target`/],
    ['volumes: [/cache]', /warning: .*new with every copy; name it/],
    ['tmpfs: "/run:uid=1"', /the option "uid=1" is not supported/],
  ]
  for (const [keys, pattern] of table) assert.match(read(keys).problems.join('\n'), pattern, keys)
  assert.match(
    readCompose('services: { web: { image: x } }\nvolumes: { a: { external: true } }').problems[0] ?? '',
    /belongs to its app/,
  )
})
