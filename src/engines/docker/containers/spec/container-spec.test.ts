import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertGolden } from '../../../../test/support/golden.ts'
import { processPlan, servesHttp } from '../../../../test/support/plans.ts'
import { containerSpec, defaultLimits, type ContainerRequest } from './container-spec.ts'

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
  app: 'shop',
  release: 'RAAAAAAAAAA',
  process: 'PAAAAAAAAAA',
  kind: 'process',
  operation: 'OAAAAAAAAAA',
  plan: everything,
  identity: 'abc',
  address: '10.213.0.2',
  names: [],
  limits: defaultLimits,
  ...overrides,
})

test('the container of a copy', () => {
  assertGolden('docker/copy.json', `${JSON.stringify(containerSpec(request()), null, 2)}\n`)
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

test('nothing is published, no swap beyond the memory, no new privileges', () => {
  const host = containerSpec(request()).body.HostConfig as Record<string, unknown>
  assert.equal(host.PortBindings, undefined)
  assert.equal(host.PublishAllPorts, undefined)
  assert.equal(host.MemorySwap, host.Memory)
  assert.deepEqual(host.SecurityOpt, ['no-new-privileges'])
})
