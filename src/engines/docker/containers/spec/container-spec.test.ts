import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertGolden } from '../../../../../test/support/golden.ts'
import { fileMount, processPlan, servesHttp } from '../../../../../test/support/plans.ts'
import { plainContainer } from '../../../../domain/container.ts'
import { appOwner } from '../../../../domain/owner.ts'
import { containerSpec, defaultLimits, type ContainerRequest } from './container-spec.ts'
import { hostOptions } from './host-options.ts'

const everything = processPlan({
  ...servesHttp(3000, []),
  command: ['node', 'server.js'],
  entrypoint: ['/entry'],
  environment: { GREETING: 'hello = there', EMPTY: '' },
  mounts: [
    { kind: 'volume', volume: 'data', path: '/data', readOnly: false, noCopy: false },
    { kind: 'tmpfs', path: '/tmp', readOnly: false, sizeBytes: null, mode: null, options: [] },
    { kind: 'discarded', path: '/cache', readOnly: false },
  ],
  healthcheck: { test: ['CMD', 'true'], intervalMs: 1500, timeoutMs: 1000, retries: 3, startPeriodMs: 0 },
  user: 'node',
  workingDir: '/app',
  init: true,
  stopSignal: 'SIGQUIT',
  stopGraceMs: 1500,
  extraHosts: [{ host: 'db', address: '10.0.0.9' }],
})

const request = (overrides: Partial<ContainerRequest> = {}): ContainerRequest => ({
  rack: 'rack',
  owner: appOwner('shop'),
  release: 'RAAAAAAAAAA',
  process: 'PAAAAAAAAAA',
  kind: 'process',
  operation: 'OAAAAAAAAAA',
  plan: everything,
  identity: 'abc',
  address: '10.213.0.2',
  names: [],
  hosts: [{ host: 'api', address: '198.18.0.2' }],
  limits: defaultLimits,
  ...overrides,
})

test('the container of a copy', () => {
  assertGolden('docker/copy.json', `${JSON.stringify(containerSpec(request()), null, 2)}\n`)
})

test("the container of a service's copy: nothing that names it is an app's", () => {
  const owner = { kind: 'service', name: 'shop' } as const
  assertGolden('docker/service-copy.json', `${JSON.stringify(containerSpec(request({ owner })), null, 2)}\n`)
})

test('the container of a one-off with a terminal: its own command, no check, no names', () => {
  const spec = containerSpec(
    request({
      kind: 'one-off',
      command: ['sh'],
      terminal: { tty: true, input: true, size: { rows: 24, columns: 80 } },
      timeoutMs: 60_000,
    }),
  )
  assertGolden('docker/one-off.json', `${JSON.stringify(spec, null, 2)}\n`)
})

const full = processPlan({
  labels: { zone: 'b', app: 'a', 'com.rack.app': 'forged', 'com.rack.timeout-ms': '1' },
  mounts: [
    { kind: 'volume', volume: 'data', path: '/data', readOnly: true, noCopy: true },
    { kind: 'bind', source: '/srv/shop', path: '/shop', readOnly: true },
    {
      kind: 'tmpfs',
      path: '/run',
      readOnly: false,
      sizeBytes: 65_536,
      mode: 0o1770,
      options: ['exec', 'uid=1000'],
    },
  ],
  files: [fileMount('/run/secrets/key', 'hunter2', { mode: 0o440 })],
  container: {
    hostname: 'shop',
    domainname: 'example.com',
    groups: ['docker', '999'],
    capAdd: ['NET_ADMIN'],
    capDrop: ['ALL'],
    privileged: true,
    devices: [{ source: '/dev/dri', path: '/dev/dri', permissions: 'rw' }],
    deviceRules: ['c 189:* rmw'],
    gpus: { driver: null, count: 'all', ids: [], capabilities: ['gpu'] },
    hostNamespaces: ['ipc', 'pid'],
    readOnly: true,
    securityOptions: ['seccomp=unconfined'],
    shmBytes: 134_217_728,
    sysctls: { 'net.core.somaxconn': '1024' },
    ulimits: [{ name: 'nofile', soft: 1024, hard: -1 }],
    pids: 100,
    oomScoreAdj: -500,
    dns: { servers: ['10.0.0.53'], search: ['example.com'], options: ['ndots:1'] },
    tty: true,
    stdinOpen: true,
  },
})

test('the container of a copy that asks for everything', () => {
  const spec = containerSpec(request({ plan: full }))
  assertGolden('docker/copy-full.json', `${JSON.stringify(spec, null, 2)}\n`)
  assert.ok(!JSON.stringify(spec).includes(full.files[0]!.content), 'the content of a file goes another way')
})

test('the terminal of the file is for copies alone: a one-off has that of a person, or none', () => {
  const streams = (overrides: Partial<ContainerRequest>) => {
    const { Tty, OpenStdin } = containerSpec(request({ plan: full, ...overrides })).body
    return [Tty, OpenStdin]
  }
  assert.deepEqual(streams({}), [true, true])
  for (const kind of ['one-off', 'timer', 'release-command'] as const) {
    assert.deepEqual(streams({ kind }), [undefined, undefined])
  }
  assert.deepEqual(streams({ kind: 'one-off', terminal: { tty: false, input: true } }), [false, true])
})

test('processes and threads: the smaller number holds, and no number of the file is none', () => {
  const limit = (pids: number | null) =>
    hostOptions({ ...plainContainer, pids }, defaultLimits.pids).PidsLimit
  assert.deepEqual([null, 0, -1, 1_000_000].map(limit), Array(4).fill(defaultLimits.pids))
  assert.equal(limit(7), 7)
})

test('nothing is published, no swap beyond the memory, no new privileges', () => {
  const host = containerSpec(request()).body.HostConfig as Record<string, unknown>
  assert.equal(host.PortBindings, undefined)
  assert.equal(host.PublishAllPorts, undefined)
  assert.equal(host.MemorySwap, host.Memory)
  assert.deepEqual(host.SecurityOpt, ['no-new-privileges'])
})
