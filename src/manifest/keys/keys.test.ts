import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildSpec } from '../../../test/support/build-spec.ts'
import { readCompose, readWeb } from '../../../test/support/compose.ts'
import { plainContainer } from '../../domain/container.ts'
import { splitWords } from './values/words.ts'

const mib = 1024 * 1024

test('a process with nothing but an image has every default', () => {
  const { web, problems } = readWeb('')
  assert.deepEqual(problems, [])
  assert.deepEqual(web, {
    name: 'web',
    build: null,
    image: 'nginx',
    pullPolicy: null,
    ports: [],
    expose: [],
    links: [],
    dependsOn: [],
    hostNames: [],
    labels: {},
    files: [],
    container: plainContainer,
    environment: [],
    mounts: [],
    health: {
      path: null,
      host: null,
      port: null,
      intervalMs: 5000,
      timeoutMs: 3000,
      graceMs: 0,
      healthyThreshold: 1,
      unhealthyThreshold: 3,
      replacement: { when: 'overlapping', afterMs: 120_000 },
    },
    routing: { sticky: null, idleTimeoutMs: null, allow: null, auth: [] },
    isAgent: false,
    formation: { count: 1, cpuUnits: 128, memoryBytes: 256 * mib },
    deployment: { minimumPercent: 100, maximumPercent: 200, mayOverlap: false },
    watchMs: 3000,
    rollsBack: false,
    drainTimeoutMs: 60_000,
    holdMs: 30_000,
    restart: 'always',
    releaseCommand: null,
    releaseCommandOn: 'promote',
    command: null,
    entrypoint: null,
    healthcheck: null,
    stopGraceMs: 10_000,
    stopSignal: null,
    timers: [],
    user: null,
    workingDir: null,
    init: false,
    extraHosts: [],
  })
})

test('commands are split into words, lists are taken as they are', () => {
  const table: [keys: string, command: string[] | null][] = [
    ['command: node web.js --port 80', ['node', 'web.js', '--port', '80']],
    [`command: sh -c "echo 'a b' && c"`, ['sh', '-c', "echo 'a b' && c"]],
    ['command: ["a b", "$$x", 1]', ['a b', '$x', '1']],
    ['command:', null],
    ['command: []', []],
    ['command: ""', []],
  ]
  for (const [keys, command] of table) {
    const { web, problems } = readWeb(keys)
    assert.deepEqual([web.command, problems], [command, []], keys)
  }
  assert.deepEqual(readWeb('command: a && b').problems, [
    '4:14: error: services.web.command: "&&" needs a shell, and a command does not run in one; write ["sh", "-c", "…"]',
  ])
  assert.match(readWeb(`command: "a 'b"`).problems[0] ?? '', /a quote is not closed/)
})

test('words are split as a shell splits them', () => {
  const words = (text: string) => splitWords(text)?.map((word) => word.text) ?? null
  assert.deepEqual(words(`a  "b c"'d' \\e "\\"f\\x" ''`), ['a', 'b cd', 'e', '"f\\x', ''])
  assert.deepEqual(words('  \n '), [])
  assert.equal(words('"'), null)
  assert.deepEqual(words('a\\'), ['a\\'])
})

test('resources: reservations of CPU first, limits of memory first', () => {
  const table: [keys: string, cpuUnits: number, memoryMib: number][] = [
    ['cpus: 0.5\nmem_limit: 64m', 512, 64],
    ['cpu_shares: 300\ncpus: 2\nmem_limit: 1g', 300, 1024],
    ['mem_reservation: 100m', 128, 100],
    ['mem_limit: 67108864\ncpus: 0', 128, 64],
    [
      'deploy: { resources: { limits: { cpus: "1", memory: 64M }, reservations: { cpus: "0.25", memory: 32M } } }',
      256,
      64,
    ],
    ['deploy: { resources: { limits: { cpus: "1.5" }, reservations: { memory: 48MiB } } }', 1536, 48],
  ]
  for (const [keys, cpuUnits, memory] of table) {
    const { web, problems } = readWeb(keys)
    assert.deepEqual(problems, [], keys)
    assert.deepEqual(web.formation, { count: 1, cpuUnits, memoryBytes: memory * mib }, keys)
  }
  assert.equal(readWeb('deploy: { replicas: 0 }').web.formation.count, 0)
  assert.equal(readWeb('scale: 3').web.formation.count, 3)
})

test('values out of range are refused with what would do', () => {
  const table: [keys: string, problem: RegExp][] = [
    ['mem_limit: 1k', /4:16: error: .*"1k" is less memory than a container can have; use "6m"/],
    ['mem_limit: lots', /"lots" is not a size; write "256m"/],
    ['mem_limit: -1', /"-1" is negative/],
    ['deploy: { replicas: -1 }', /"-1" is not a whole number from 0 to 10000/],
    ['cpus: half', /"half" is not a number; write 0.5/],
    ['cpus: 0.001', /out of range/],
    ['scale: 2\ndeploy: { replicas: 3 }', /`scale` and `deploy.replicas` differ/],
    ['mem_limit: 64m\ndeploy: { resources: { limits: { memory: 65M } } }', /differ/],
    ['stop_grace_period: soon', /"soon" is not a duration/],
    ['stop_signal: SIGFOO', /"SIGFOO" is not a signal/],
    ['stop_signal: SIGQIUT', /did you mean "SIGQUIT"/],
    ['stop_signal: 65', /"65" is not a signal/],
    ['working_dir: app', /is not an absolute path/],
    ['init: maybe', /neither true nor false/],
    ['restart: sometimes', /not a restart policy; use one of/],
    ['restart: alway', /did you mean "always"/],
    ['image: "Nginx Latest"', /given twice/],
    ['healthcheck: { test: [curl, x] }', /starts with CMD, CMD-SHELL or NONE/],
    ['healthcheck: { test: x, retries: 0 }', /whole number from 1/],
    ['extra_hosts: ["a"]', /is not a host and an address/],
    [
      'extra_hosts: ["host.docker.internal:host-gateway"]',
      /host-gateway leads to what listens on the machine .*`rack policy set --allow-host-gateway`/,
    ],
    ['build: { extra_hosts: ["up:host-gateway"] }', /host-gateway is refused: in a build/],
    ['links: ["a:b:c"]', /is not a link/],
    ['depends_on: { web: { condition: healthy } }', /not a condition/],
    ['environment: [{ A: 1 }]', /found a mapping; write "- NAME=value", or "NAME: value" without the dash/],
    ['user: [a]', /expected text, but found a list/],
    ['ports: 80', /expected a list, but found "80"; write it as `- value`/],
    ['environment: { "A B": 1 }', /a name without spaces/],
  ]
  for (const [keys, pattern] of table) assert.match(readWeb(keys).problems.join('\n'), pattern, keys)
})

test('the life of a process', () => {
  const { web, problems } = readWeb(
    `stop_grace_period: 1m30s
stop_signal: SIGINT
user: "1000:1000"
working_dir: /app
init: yes
restart: unless-stopped
extra_hosts: ["a:10.0.0.1", "b=::1", "c:[fe80::1]"]
healthcheck: { test: curl -f localhost, interval: 10s, timeout: 500ms, start_period: 1m }`,
  )
  assert.deepEqual(problems, ['8:11: warning: services.web.init: "yes" is read as true; write true'])
  assert.deepEqual(
    [web.stopGraceMs, web.stopSignal, web.user, web.workingDir, web.init, web.restart],
    [90_000, 'SIGINT', '1000:1000', '/app', true, 'always'],
  )
  assert.deepEqual(
    web.extraHosts.map(({ host, address }) => `${host} ${address}`),
    ['a 10.0.0.1', 'b ::1', 'c fe80::1'],
  )
  assert.deepEqual(web.healthcheck, {
    test: ['CMD-SHELL', 'curl -f localhost'],
    intervalMs: 10_000,
    timeoutMs: 500,
    retries: null,
    startPeriodMs: 60_000,
  })
  assert.deepEqual(readWeb('healthcheck: { disable: true }').web.healthcheck?.test, ['NONE'])
  const enabled = readWeb('healthcheck: { disable: false }')
  assert.deepEqual([enabled.web.healthcheck, enabled.problems], [null, []])
  const timed = readWeb('healthcheck: { interval: 5s }')
  assert.deepEqual(
    [timed.web.healthcheck?.test, timed.web.healthcheck?.intervalMs, timed.problems],
    [null, 5000, []],
  )
  assert.equal(readWeb('restart: "no"').web.restart, 'no')
  assert.equal(readWeb('restart: no').web.restart, 'no')
  assert.equal(readWeb('stop_signal: ""').web.stopSignal, null)
  const signals = ['sigterm', 'RTMIN+3', 'USR1', '9'].map((signal) => readWeb(`stop_signal: ${signal}`))
  assert.deepEqual(
    signals.map(({ web, problems }) => [web.stopSignal, problems]),
    [
      ['SIGTERM', []],
      ['RTMIN+3', []],
      ['USR1', []],
      ['9', []],
    ],
  )
  const condition = (word: string) =>
    readWeb(`deploy: { restart_policy: { condition: ${word} } }`).web.restart
  assert.deepEqual(['on-failure', 'none', 'any', 'always', 'unless-stopped'].map(condition), [
    'on-failure',
    'no',
    'always',
    'always',
    'always',
  ])
  assert.deepEqual(readWeb('deploy: { update_config: { order: stop-first } }').web.deployment, {
    minimumPercent: 0,
    maximumPercent: 100,
    mayOverlap: false,
  })
})

test('the lines of a process are kept by the rack, which is said where the file sends them elsewhere', () => {
  for (const keys of [
    'logging: { driver: json-file, options: { max-size: 10m } }',
    'log_driver: local',
    'logging:',
  ])
    assert.deepEqual(readWeb(keys).problems, [], keys)
  for (const keys of ['logging: { driver: syslog }', 'log_driver: syslog'])
    assert.match(
      readWeb(keys).problems.join('\n'),
      /warning: .*no lines are sent to "syslog": .*`rack logs`/,
      keys,
    )
  assert.match(
    readWeb('logging: { driver: none }').problems.join('\n'),
    /warning: .*keeps the lines of every/,
  )
})

test('an image or a build that says nothing makes no process', () => {
  for (const line of ['image:', 'build:', 'image: null']) {
    const { problems } = readCompose(`services:\n  web:\n    ${line}\n`)
    assert.match(problems.join('\n'), /2:3: error: .*"web" has neither `image` nor `build`/, line)
  }
})

test('builds stay inside the source directory', () => {
  const read = (build: string) => readCompose(`services:\n  web:\n    build: ${build}\n`)
  assert.deepEqual(
    read('{ context: ./a/../b, dockerfile: x/Dockerfile, target: t, args: [A=1, B] }').processes[0]?.build,
    buildSpec({
      context: 'b',
      dockerfile: 'x/Dockerfile',
      target: 't',
      args: { A: '1', B: null },
    }),
  )
  assert.deepEqual(
    read(
      '{ dockerfile_inline: "FROM x\\nRUN y", network: none, labels: [a=b, c], extra_hosts: { db: 10.0.0.1 } }',
    ).processes[0]?.build,
    buildSpec({
      inline: 'FROM x\nRUN y',
      network: 'none',
      labels: { a: 'b', c: '' },
      extraHosts: [{ host: 'db', address: '10.0.0.1' }],
    }),
  )
  assert.equal(read('{ network: default }').processes[0]?.build?.network, null)
  assert.match(read('../x').problems[0] ?? '', /3:12: error: services.web.build: the context lies outside/)
  assert.match(read('/x').problems[0] ?? '', /outside of the source directory/)
  assert.match(read('https://example.com/x.tgz').problems[0] ?? '', /is no repository of git/)
  assert.match(read('{ dockerfile: ../D }').problems[0] ?? '', /outside of the build context/)
  assert.match(read('{ entitlements: [a] }').problems[0] ?? '', /"entitlements" is refused/)
})
