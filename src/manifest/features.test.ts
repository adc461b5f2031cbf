import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readCompose, readWeb } from '../../test/support/compose.ts'
import { featureWishes as wishes } from '../../test/support/feature-wishes.ts'
import { awsFeatures, awsFeaturesOf } from '../domain/aws-features.ts'
import { dockerFeatures } from '../domain/docker-features.ts'
import type { EngineFeatures } from '../domain/features.ts'
import { strictPolicy } from '../domain/policy.ts'

const features = awsFeatures
/** All that a policy can allow: what is refused is refused by the engine. */
const policy = { ...strictPolicy, binds: ['/'], privileged: true }

type Feature = Exclude<keyof EngineFeatures, 'name'>

for (const [feature, cases] of Object.entries(wishes)) {
  for (const [keys, problem] of cases) {
    test(`without ${feature}: ${keys.replace('\n', ' ').slice(0, 70)}`, () => {
      const { problems } = readWeb(keys, {}, { features, policy })
      assert.equal(problems.length, 1, problems.join('\n'))
      assert.match(problems[0] ?? '', problem)
      assert.deepEqual(readWeb(keys, {}, { features: dockerFeatures, policy }).problems, [])
    })
  }
}

test('every feature that a file can ask for is asked for here, or needs no word', () => {
  const silent = new Set<string>(['pidsLimit', 'oomScore', 'diskVolumes', 'methodsKept', 'tlsPorts'])
  const ofNoFile = new Set<string>(['sharesServices'])
  const below = new Set<string>(['separateNetworks', 'internalNetworks'])
  const lacking = (Object.entries(awsFeatures) as [Feature | 'name', unknown][]).flatMap(([name, feature]) =>
    name !== 'name' && typeof feature === 'object' && feature !== null && 'why' in feature ? [name] : [],
  )
  assert.deepEqual(
    lacking.filter(
      (name) => ![silent, below, ofNoFile].some((set) => set.has(name)) && !Object.hasOwn(wishes, name),
    ),
    [],
  )
})

test('without separateNetworks, and without internalNetworks', () => {
  const problems = (networks: string) => {
    const file = `services: { web: { image: x, networks: [front] }, db: { image: x, networks: [back] } }\n${networks}`
    assert.deepEqual(readCompose(file, {}, { features: dockerFeatures }).problems, [])
    return readCompose(file, {}, { features }).problems
  }
  const [apart, ...more] = problems('networks: { front: , back: }')
  assert.match(
    apart ?? '',
    /^1:78: warning: .*keeps processes apart becomes the app's network: the processes of/,
  )
  assert.deepEqual(more, [])
  const [, internal] = problems('networks: { front: , back: { internal: true } }')
  assert.match(internal ?? '', /^2:30: error: .*"internal" is refused: a copy on Fargate/)
})

test('what asks for nothing is harmless on every engine', () => {
  const keys = [
    'privileged: false',
    'group_add: []',
    'dns:',
    'deploy: { mode: replicated }',
    'labels: { rack.agent: "false" }',
    'restart: "no"',
    'cap_add: [SYS_PTRACE, NET_RAW]',
    'cap_drop: [ALL]',
    'ulimits: { nofile: { soft: 1024, hard: 65535 } }',
    'stop_grace_period: 2m',
    'pids_limit: 100',
    'oom_score_adj: -5',
  ]
  const { web, problems } = readWeb(keys.join('\n'), {}, { features })
  assert.deepEqual(problems, [])
  assert.deepEqual(web.container.capAdd, ['NET_RAW', 'SYS_PTRACE'])
  assert.equal(web.container.pids, null)
  assert.equal(web.container.oomScoreAdj, null)
})

test('what an engine rounds, the process has', () => {
  const keys = 'stop_grace_period: 5m\nhealthcheck: { test: x, interval: 1s, start_period: 10m, retries: 20 }'
  const { web } = readWeb(keys, {}, { features })
  const { intervalMs, startPeriodMs, retries } = web.healthcheck ?? {}
  assert.deepEqual([web.stopGraceMs, intervalMs, startPeriodMs, retries], [120_000, 5000, 300_000, 10])
})

test('a secret is bounded, a config is not', () => {
  const text = `services:
  web: { image: x, configs: [large], secrets: [large] }
configs: { large: { file: large } }
secrets: { large: { file: large } }
`
  const contents = { large: Buffer.alloc(50_000).toString('base64') }
  const { problems } = readCompose(text, {}, { features, contents })
  assert.equal(problems.length, 1)
  assert.match(
    problems[0] ?? '',
    /^2:48: error: services\.web\.secrets\[0\]: the secret "large" is too long: .*; put it/,
  )
  assert.deepEqual(readCompose(text, {}, { contents }).problems, [])
})

test('a job that another process waits for may start again on failure everywhere', () => {
  const text = `services:
  web: { image: x, depends_on: { job: { condition: service_completed_successfully } } }
  job: { image: x, restart: on-failure }
`
  assert.deepEqual(readCompose(text, {}, { features }).problems, [])
})

test('an engine that serves udp, https and tls opens them', () => {
  const { web, problems } = readWeb(
    'ports: ["5300:53", "53:5353/udp", "443:80", "853:8853", { target: 9000, protocol: udp }]\n' +
      'labels: { rack.port.853.protocol: tls, rack.port.853.secure: "true", rack.health.port: "53" }',
    {},
    { features },
  )
  assert.deepEqual(problems, [])
  assert.deepEqual(
    web.ports.map(({ external, container, protocol, secure }) => [external, container, protocol, secure]),
    [
      [5300, 53, 'tcp', false],
      [53, 5353, 'udp', false],
      [443, 80, 'https', false],
      [853, 8853, 'tls', true],
      [null, 9000, 'udp', false],
    ],
  )
})

test('a rack of an account without a certificate ends TLS at no port, and says so at its line', () => {
  const keys = 'ports: ["853:8853"]\nlabels: { rack.port.853.protocol: tls }'
  assert.deepEqual(readWeb(keys, {}, { features: awsFeaturesOf({ hasCertificate: true }) }).problems, [])
  const { problems } = readWeb(keys, {}, { features: awsFeaturesOf({ hasCertificate: false }) })
  assert.equal(problems.length, 1)
  assert.match(
    problems[0]!,
    /^5:\d+: error: .*the port 853 of tls is refused: the rack was installed without/,
  )
})

test('udp ports are told apart from tcp ones, and probed on one of those', () => {
  const features = { ...awsFeatures, udpBesideTcp: true as const }
  const table: [keys: string, problem: RegExp][] = [
    [
      'ports: ["53:53/udp"]',
      /^4:13: error: .*reached by udp needs a tcp port .*; declare one under `expose:`, and/,
    ],
    ['ports: ["53/udp"]', /^4:13: error: .*reached by udp needs a tcp port/],
    ['ports: ["53:53/udp", "53:53"]', /^4:13: error: .*; write the label rack\.health\.port=53/],
    ['ports: ["53:53/sctp"]', /^4:13: error: .*sctp is refused: a rack serves http, tcp, tls and udp/],
    [
      'ports: ["53:53/udp"]\nexpose: [80]\nlabels: { rack.health.port: "80", rack.port.53.protocol: tcp }',
      /^6:39: error: .*port 53 is written as udp/,
    ],
    [
      'ports: ["53:53/udp"]\nexpose: [80]\nlabels: { rack.health.port: "80", rack.port.53.secure: "true" }',
      /^6:39: error: .*port 53 is udp, which carries no TLS/,
    ],
  ]
  for (const [keys, problem] of table) {
    const { problems } = readWeb(keys, {}, { features })
    assert.match(problems[0] ?? '', problem, keys)
    assert.equal(problems.length, 1, problems.join('\n'))
  }
  const labelled = readWeb('ports: ["53:53"]\nlabels: { rack.port.53.protocol: udp }')
  assert.deepEqual([labelled.problems, labelled.web.ports[0]?.protocol], [[], 'udp'])
  assert.deepEqual(
    readWeb('ports: ["53:53/udp"]').problems,
    [],
    'a rack on one machine asks for no other port',
  )
})

test('several processes share an https port, told apart by host name', () => {
  const text = `services:
  a: { image: x, ports: ["443:80"] }
  b: { image: x, ports: ["443:80"] }
  c: { image: x, ports: ["443:80"], labels: { rack.port.443.protocol: tls } }
`
  assert.deepEqual(
    readCompose(text, {}, { features }).problems.map((problem) => problem.replace(/ .*: /, ' ')),
    ['4:26: the port 443 is already opened by "a"; choose another external port'],
  )
})
