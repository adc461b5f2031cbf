import { dockerFeatures } from '../domain/docker-features.ts'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readCompose, readWeb } from '../../test/support/compose.ts'
import { readManifest } from './read-manifest.ts'

function problemsOf(services: string): string {
  return readCompose(`services:\n${services}`).problems.join('\n')
}

test('names are checked', () => {
  assert.match(problemsOf('  1: { image: x }\n'), /write "web"/)
  assert.match(problemsOf('  web: nginx\n'), /the process "web" must be a mapping, but is "nginx"/)
  assert.match(problemsOf('  web: { user: x }\n'), /neither `image` nor `build`/)
})

test('a name that no host name can have becomes one that it can, and leads to the process as before', () => {
  const { processes, problems } = readCompose(
    `services:
  My_DB: { image: x }
  2fauth: { image: x, depends_on: [sql.server], links: [My_DB], volumes_from: [sql.server] }
  sql.server: { image: x, depends_on: { My_DB: { condition: service_started } }, volumes: [d:/d] }
volumes: { d: }
`,
  )
  const told = problems.map((problem) => problem.replace(/;.*/, ''))
  assert.deepEqual(told, [
    '2:3: warning: services.My_DB: the rack calls the process "my-db", as in host names',
    '3:3: warning: services.2fauth: the rack calls the process "fauth", as in host names',
    '4:3: warning: services.sql.server: the rack calls the process "sql-server", as in host names',
  ])
  const seen = processes.map(({ name, hostNames, dependsOn, links, mounts }) => ({
    name,
    hostNames,
    on: dependsOn.map(({ target }) => target),
    links,
    mounts: mounts.length,
  }))
  assert.deepEqual(seen, [
    { name: 'my-db', hostNames: ['My_DB'], on: [], links: [], mounts: 0 },
    {
      name: 'fauth',
      hostNames: ['2fauth'],
      on: ['sql-server'],
      links: [{ target: 'my-db', alias: 'My_DB' }],
      mounts: 1,
    },
    { name: 'sql-server', hostNames: ['sql.server'], on: ['my-db'], links: [], mounts: 1 },
  ])
})

test('what the environment may still decide before the build is a warning until then', () => {
  const files = [
    ['services: { a: { image: x, profiles: [gpu] } }', /choose what runs: rack env set COMPOSE_PROFILES=gpu/],
    [
      'services: { a: { image: "${IMAGE}" } }',
      /"\$\{IMAGE\}" lacks a value; give the app one before the build/,
    ],
  ] as const
  for (const [text, pattern] of files) {
    const before = readCompose(text, {}, { lenientVariables: true, isBeforeBuild: true }).problems.join('\n')
    assert.match(before, pattern)
    assert.doesNotMatch(before, / error: /)
    assert.match(readCompose(text, {}, { lenientVariables: true }).problems.join('\n'), / error: /)
  }
})

test('links and dependencies name processes of the file', () => {
  const others = '  redis: { image: x }\n'
  const table: [web: string, problem: RegExp][] = [
    ['links: [reds]', /there is no process "reds"; did you mean "redis"/],
    ['links: [web]', /links to itself/],
    ['links: ["redis:a", "redis:A"]', /warning: .*named twice/],
    ['links: ["redis:web"]', /is the name of another process/],
    ['depends_on: { reds: { condition: service_started } }', /no process "reds"; did you mean "redis"/],
    ['depends_on: [reds]', /there is no process "reds"; did you mean "redis"/],
    ['depends_on: [web]', /depends on itself/],
    ['depends_on: { redis: { condition: service_healty } }', /did you mean "service_healthy"/],
  ]
  for (const [keys, pattern] of table)
    assert.match(problemsOf(`  web: { image: x, ${keys} }\n${others}`), pattern, keys)
  const absent = readCompose(
    'services: { web: { image: x, depends_on: { no: { condition: service_started, required: false } } } }',
  )
  assert.deepEqual([absent.problems, absent.processes[0]?.dependsOn], [[], []])
})

test('links keep their alias', () => {
  const { processes, problems } = readCompose(
    'services:\n  web: { image: x, links: ["redis:cache", redis] }\n  redis: { image: x }\n',
  )
  assert.deepEqual(problems, [])
  assert.deepEqual(processes[0]?.links, [
    { target: 'redis', alias: 'cache' },
    { target: 'redis', alias: 'redis' },
  ])
})

test('a cycle is named in full', () => {
  const text =
    '  a: { image: x, links: [b] }\n  b: { image: x, depends_on: [c] }\n  c: { image: x, links: [a] }\n'
  assert.equal(
    problemsOf(text),
    '4:26: error: services.c.links[0]: no process of this cycle can start first: a → b → c → a; remove one link or dependency',
  )
})

test('a process that must complete is not restarted', () => {
  const text = (restart: string) =>
    `services:\n  web: { image: x, depends_on: { migrate: { condition: service_completed_successfully } } }\n  migrate: { image: x${restart} }\n`
  assert.equal(readCompose(text('')).processes[1]?.restart, 'no')
  assert.equal(readCompose(text(', restart: on-failure')).processes[1]?.restart, 'on-failure')
  assert.match(
    readCompose(text(', restart: always')).problems[0] ?? '',
    /"migrate" is to complete, but its `restart`/,
  )
})

test('an external port belongs to one process, unless both speak http', () => {
  const two = (port: string) =>
    `  a: { image: x, ports: ["${port}:1"] }\n  b: { image: x, ports: ["${port}:2"] }\n`
  assert.equal(problemsOf(two('80')), '')
  assert.match(
    problemsOf(two('25')),
    /^3:26: error: services.b.ports\[0\]: the port 25 is already opened by "a"/,
  )
})

test('a process with a profile is left out', () => {
  const { processes, problems } = readCompose(
    'services:\n  web: { image: x }\n  debug: { image: x, profiles: [debug] }\n',
  )
  assert.deepEqual(
    processes.map(({ name }) => name),
    ['web'],
  )
  assert.match(problems[0] ?? '', /warning: .*the process "debug" is left out/)
  assert.match(problemsOf('  web: { image: x, profiles: [a] }\n'), /error: services: no process is left/)
  assert.match(
    problemsOf('  web: { image: x, links: [b] }\n  b: { image: x, profiles: [a] }\n'),
    /left out because of its profile/,
  )
})

test('variables come from the environment of the app, then from .env, and from nowhere else', () => {
  process.env.RACK_MANIFEST_TEST = 'server'
  const text =
    'services:\n  web:\n    image: "x:${TAG:-1}"\n    user: "${WHO}"\n    working_dir: "/${RACK_MANIFEST_TEST:-none}"\n'
  const read = (environment: Record<string, string>, dotenv: string | null) => {
    const [web] = readCompose(text, environment, { dotenv }).processes
    return [web?.image, web?.user, web?.workingDir]
  }
  assert.deepEqual(read({}, 'TAG=2\nWHO=env'), ['x:2', 'env', '/none'])
  assert.deepEqual(read({ TAG: '3' }, 'TAG=2'), ['x:3', null, '/none'])
  delete process.env.RACK_MANIFEST_TEST
  assert.deepEqual(readCompose(text).problems, [
    '4:11: warning: services.web.user: the variable WHO has no value; an empty text is used; rack env set WHO=…',
  ])
})

test('a required variable stops a promote, but not a build', () => {
  const text = 'services:\n  web:\n    image: x\n    user: "${WHO:?set it}"\n    ports: ["${PORT:?}:80"]\n'
  const source = { files: [{ path: 'c.yml', text }], dotenv: null, texts: {}, contents: {} }
  const strict = readManifest(source, { environment: {}, features: dockerFeatures })
  assert.equal(strict.manifest, null)
  assert.deepEqual(strict.problems[0], {
    severity: 'error',
    position: { file: 'c.yml', line: 4, column: 11 },
    path: 'services.web.user',
    message: 'the variable WHO is required: set it',
    hint: 'rack env set WHO=…',
    kind: 'variable',
  })
  const lenient = readManifest(source, { environment: {}, features: dockerFeatures, lenientVariables: true })
  assert.ok(lenient.manifest)
  assert.deepEqual(
    lenient.problems.map(({ severity, kind }) => `${severity} ${kind}`),
    Array(2).fill('warning variable'),
  )
  const image = readCompose('services: { web: { image: "${IMAGE:?}" } }', {}, { lenientVariables: true })
  assert.match(
    image.problems.join('\n'),
    /error: .*the build needs the name of the image, and .* lacks a value/,
  )
  assert.doesNotMatch(image.problems.join('\n'), /is not the name of an image/)
})

test('the value of a variable is never printed', () => {
  const keys = [
    'ports: ["${S}"]',
    'mem_limit: "${S}"',
    'restart: "${S}"',
    'links: ["${S}:${S}:"]',
    'image2: "${S}"',
    'cap_add: ["${S}"]',
    'command: "a ${S} \'"',
    'command: "a ${S}; b"',
    'user: "${NOBODY:?not ${S}}"',
    'labels: ["rack.health.interval=${S}"]',
    'stop_signal: "${S}"',
    'extra_hosts: ["${S}"]',
    'expose: ["${S}"]',
    'cpus: "${S}"',
    'links: ["${S}"]',
    'links: ["x:${S}", "y:${S}"]',
    'depends_on: ["${S}"]',
    'volumes: ["${S}:/x"]',
    'volumes: ["./${S}:/x.conf"]',
    'volumes: ["./x:/${S}.conf"]',
    'volumes: [{ type: bind, source: "./${S}", target: /x.conf }]',
    'volumes: ["./a/${S}:/a", "./a-${S}:/b"]',
    'volumes: [{ type: "${S}", source: x, target: /x }]',
    'tmpfs: "/x:${S}"',
    'ports: ["127.0.0.1:${S}:80"]',
    'ports: ["80/${S}"]',
    'env_file: "${S}"',
    'build: "../${S}"',
    'working_dir: "${S}"',
    'labels: ["rack.port.80.protocol=${S}"]',
    'healthcheck: { test: x, retries: "${S}" }',
    'security_opt: ["${S}"]',
    'security_opt: ["seccomp=${S}"]',
    'sysctls: { "kernel.x": "${S}" }',
    'sysctls: ["${S}"]',
    'ulimits: { nofile: "${S}" }',
    'dns: "${S}!"',
    'dns_search: "${S}!"',
    'hostname: "${S}!"',
    'group_add: ["${S}!"]',
    'pids_limit: "${S}"',
    'oom_score_adj: "${S}"',
    'shm_size: "${S}"',
    'volumes: ["/srv/${S}:/x"]',
    'volumes: [{ type: bind, source: "/srv/${S}", target: /x }]',
    'volumes: ["a:/x:${S}"]',
    'volumes: ["/x/${S}", "/x/${S}"]',
    'tmpfs: ["/x/${S}", "/x/${S}"]',
    'volumes: [{ type: tmpfs, target: /x, tmpfs: { mode: "${S}" } }]',
    'volumes_from: ["${S}"]',
    'volumes_from: ["x:${S}"]',
    'networks: ["${S}"]',
    'networks: { default: { aliases: ["${S}!"] } }',
    'container_name: "${S}!"',
    'secrets: ["${S}"]',
    'configs: [{ source: "${S}" }]',
    'label_file: "${S}"',
    'deploy: { update_config: { order: "${S}" } }',
    'deploy: { update_config: { parallelism: "${S}" } }',
    'logging: { driver: "${S}" }',
    'build: { network: "${S}" }',
    'build: { extra_hosts: ["${S}"] }',
  ]
  for (const key of keys) {
    const { problems } = readWeb(key, { S: 'hunter2' })
    assert.notEqual(problems.length, 0, key)
    assert.ok(!problems.join('\n').includes('hunter2'), problems.join('\n'))
  }
})

test('problems of all kinds come at once, by line', () => {
  const { problems } = readCompose(
    'services:\n  web:\n    imag: x\n    use_api_socket: true\n    platform: linux\n    ports: ["0"]\n  db:\n    image: x\n    links: [wbe]\nvolums: {}\n',
  )
  assert.deepEqual(
    problems.map((problem) => problem.replace(/;.*/, '')),
    [
      '2:3: error: services.web: the process "web" has neither `image` nor `build`',
      '3:5: error: services.web.imag: unknown key "imag"',
      '4:5: error: services.web.use_api_socket: "use_api_socket" is refused: a process gets no access to the rack\'s engine',
      '5:5: warning: services.web.platform: "platform" is ignored: images are built and pulled for the rack\'s own platform',
      '6:13: error: services.web.ports[0]: "0" is not a port from 1 to 65535',
      '9:13: error: services.db.links[0]: there is no process "wbe"',
      '10:1: error: volums: unknown key "volums"',
    ],
  )
})
