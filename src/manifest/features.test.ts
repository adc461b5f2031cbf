import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readCompose, readWeb } from '../../test/support/compose.ts'
import { awsFeatures } from '../domain/aws-features.ts'
import { dockerFeatures } from '../domain/docker-features.ts'
import type { EngineFeatures } from '../domain/features.ts'
import { strictPolicy } from '../domain/policy.ts'

const features = awsFeatures
/** All that a policy can allow: what is refused is refused by the engine. */
const policy = { ...strictPolicy, binds: ['/'], privileged: true }

type Feature = Exclude<keyof EngineFeatures, 'name'>

/** What a process asks for, and what is said where an engine has no such thing. */
const wishes: Partial<Record<Feature, [keys: string, problem: RegExp][]>> = {
  binds: [
    [
      'volumes: ["/srv/data:/data"]',
      /^4:15: error: services\.web\.volumes\[0\]: the path "\/srv\/data" of the host is refused: there is no host .*; for data use a named volume/,
    ],
    [
      'volumes: [{ type: bind, source: /srv, target: /data }]',
      /^4:37: error: services\.web\.volumes\[0\]\.source: the path "\/srv"/,
    ],
  ],
  privileged: [
    [
      'privileged: true',
      /^4:5: error: services\.web\.privileged: "privileged" is refused: Fargate .*; remove the key; what needs/,
    ],
  ],
  devices: [
    ['devices: [/dev/dri]', /^4:5: error: .*"devices" is refused: Fargate has no devices; remove the key/],
    ['gpus: all', /^4:5: error: .*"gpus" is refused/],
    ['runtime: nvidia', /^4:5: error: .*"runtime" is refused/],
    [
      'deploy: { resources: { reservations: { devices: [{ capabilities: [gpu] }] } } }',
      /^4:44: error: .*"devices" is refused/,
    ],
  ],
  hostNamespaces: [['pid: host', /^4:10: error: .*`pid: host` is refused: each copy has a machine/]],
  hostGateway: [['extra_hosts: ["up:host-gateway"]', /^4:19: error: .*host-gateway is refused: the machine/]],
  capabilities: [
    [
      'cap_add: [CHOWN, SYS_ADMIN]',
      /^4:22: error: services\.web\.cap_add\[1\]: the capability "SYS_ADMIN" is refused: Fargate adds/,
    ],
    ['cap_add: [IPC_LOCK]', /^4:15: error: .*"IPC_LOCK" is refused/],
  ],
  securityProfiles: [
    [
      'security_opt: ["seccomp=unconfined"]',
      /^4:20: error: services\.web\.security_opt\[0\]: "seccomp=unconfined" is refused: ECS takes no profile/,
    ],
  ],
  noNewPrivileges: [
    ['security_opt: ["no-new-privileges:true"]', /^4:20: warning: .*"no-new-privileges:true" is ignored/],
  ],
  buildSecrets: [
    ['build: { ssh: [default] }', /^4:14: error: .*"ssh" is refused: .*; fetch what needs a secret before/],
  ],
  groups: [['group_add: [docker]', /^4:5: error: .*"group_add" is refused: .*; name the group in the image/]],
  ulimits: [
    [
      'ulimits: { nproc: 100 }',
      /^4:16: error: services\.web\.ulimits\.nproc: the limit "nproc" is refused: Fargate sets no limit/,
    ],
  ],
  openFiles: [
    [
      'ulimits: { nofile: 100000 }',
      /^4:16: error: .*ulimits\.nofile: the limit is too high: .*; write 65535/,
    ],
    ['ulimits: { nofile: -1 }', /^4:16: error: .*the limit is too high/],
  ],
  ownHostName: [
    ['hostname: shop', /^4:5: warning: .*"hostname" becomes the variable HOSTNAME .*: gethostname\(\)/],
    ['domainname: shop.example', /^4:5: warning: .*"domainname" becomes/],
  ],
  nameServers: [['dns: 10.0.0.53', /^4:5: error: .*"dns" is refused: .*; use `extra_hosts`/]],
  agents: [
    [
      'deploy: { mode: global }',
      /^4:15: error: services\.web\.deploy\.mode: "mode" is refused: an agent needs/,
    ],
    [
      'labels: { rack.agent: "true" }',
      /^4:15: error: .*"rack\.agent" is refused: an agent needs .*; remove it; what/,
    ],
  ],
  restartOnFailure: [
    [
      'restart: on-failure',
      /^4:14: error: services\.web\.restart: `restart: on-failure` is refused: ECS .*; write `restart: "no"`/,
    ],
    [
      'deploy: { restart_policy: { condition: on-failure } }',
      /^4:44: error: .*condition: `restart: on-failure` is refused/,
    ],
  ],
  localPorts: [
    [
      'ports: ["127.0.0.1:5432:5432"]',
      /^4:13: warning: .*"127.0.0.1:5432:5432", for the machine of the rack alone, becomes a port inside the app: .*`rack proxy`/,
    ],
  ],
  restartNever: [
    [
      'restart: "no"\nports: ["80:80"]',
      /^4:14: warning: .*`restart: "no"` of a process that serves is ignored: ECS starts/,
    ],
  ],
  stopGraceMs: [
    ['stop_grace_period: 5m', /^4:24: warning: .*"5m" is more than the engine gives: Fargate .*; write "2m"/],
  ],
  checks: [
    ['healthcheck: { test: x, interval: 1s }', /^4:39: warning: .*"1s" is rounded to 5s: ECS checks every/],
    ['healthcheck: { test: x, start_period: 10m }', /^4:43: warning: .*"10m" is rounded to 300s/],
    ['healthcheck: { test: x, retries: 20 }', /^4:38: warning: .*"20" is rounded to 10/],
  ],
  copySize: [
    ['cpus: 17', /^4:11: error: services\.web\.cpus: "17" is more than a copy can have: a copy on Fargate/],
    ['deploy: { resources: { limits: { memory: 120g } } }', /^4:46: error: .*memory: "120g" is more than/],
  ],
  valueLength: [
    [
      `environment: { LONG: ${'x'.repeat(60_001)} }`,
      /^4:20: error: services\.web\.environment\.LONG: the value of "LONG" is too long: Secrets Manager .*; put it/,
    ],
  ],
  idleTimeoutOnHttp: [
    [
      'ports: ["80:80"]\nlabels: { rack.idle.timeout: "300" }',
      /^5:15: warning: .*idle\.timeout on http is ignored: the balancer has one limit/,
    ],
  ],
  proxyOnHttp: [
    [
      'ports: ["80:80"]\nlabels: { rack.port.80.proxy: "true" }',
      /^5:15: error: .*the PROXY protocol on port 80 is refused: an application load balancer .*; read X-Forwarded-For/,
    ],
  ],
  proxyVersionOne: [
    [
      'ports: ["25:25"]\nlabels: { rack.port.25.proxy: "true" }',
      /^5:15: warning: .*the PROXY protocol on port 25 becomes version 2 of it/,
    ],
  ],
  secureOnTcp: [
    [
      'ports: ["25:25"]\nlabels: { rack.port.25.secure: "true" }',
      /^5:15: error: .*TLS to the process on port 25 is refused: .*; write the protocol tls/,
    ],
  ],
  udpAlone: [
    [
      'ports: ["53:53/udp"]',
      /^4:13: error: .*reached by udp needs a tcp port .*; declare one under `expose:`/,
    ],
  ],
  sharedTlsPorts: [
    [
      'ports: ["853:853"]\nlabels: { rack.port.853.protocol: tls, rack.port.853.shared: "true" }',
      /^5:\d+: error: .*"rack\.port\.853\.shared" is refused: a network load balancer leads by port alone; give each/,
    ],
  ],
  sticky: [
    [
      'ports: ["80:80"]\nlabels: { rack.sticky: "uri" }',
      /^5:15: error: .*sticky by uri is refused: an application load balancer .*; write rack\.sticky=source/,
    ],
  ],
  stickyByAddress: [
    [
      'ports: ["80:80"]\nlabels: { rack.sticky: source }',
      /^5:15: warning: .*the client's address on http becomes the balancer's cookie/,
    ],
  ],
  allowedRanges: [
    [
      `ports: ["80:80"]\nlabels: { rack.allow: "${Array.from({ length: 13 }, (_, index) => `10.${index}.0.0/16`).join(',')}" }`,
      /^5:15: error: .*allow names 13 ranges: the rules .*; name larger ranges/,
    ],
  ],
  accounts: [
    [
      'ports: ["80:80"]\nlabels: { rack.auth: "a:b" }',
      /^5:15: error: .*"rack\.auth" is refused: an application load balancer cannot ask .*; let the process ask/,
    ],
  ],
  heldRequests: [
    [
      'ports: ["80:80"]\nlabels: { rack.deployment.hold: "60" }',
      /^5:15: warning: .*"rack\.deployment\.hold" is ignored: the balancer answers 503 while no copy serves/,
    ],
  ],
  probes: [
    [
      'ports: ["80:80"]\nlabels: { rack.health.interval: "3" }',
      /^5:15: warning: .*health\.interval is rounded to 5 once a copy serves: the balancer/,
    ],
    [
      'ports: ["80:80"]\nlabels: { rack.health.timeout: "1" }',
      /^5:15: warning: .*health\.timeout is rounded to 2/,
    ],
    [
      'ports: ["80:80"]\nlabels: { rack.health.threshold.unhealthy: "1" }',
      /^5:15: warning: .*health\.threshold\.unhealthy is rounded to 2/,
    ],
  ],
}

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
  const silent = new Set<string>(['pidsLimit', 'oomScore', 'diskVolumes'])
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
    'ports: ["53:53", "53:5353/udp", "443:80", "853:8853", { target: 9000, protocol: udp }]\n' +
      'labels: { rack.port.853.protocol: tls, rack.port.853.secure: "true", rack.health.port: "53" }',
    {},
    { features },
  )
  assert.deepEqual(problems, [])
  assert.deepEqual(
    web.ports.map(({ external, container, protocol, secure }) => [external, container, protocol, secure]),
    [
      [53, 53, 'tcp', false],
      [53, 5353, 'udp', false],
      [443, 80, 'https', false],
      [853, 8853, 'tls', true],
      [null, 9000, 'udp', false],
    ],
  )
})

test('udp ports are told apart from tcp ones, and probed on one of those', () => {
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
