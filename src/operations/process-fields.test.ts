import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileMount, processPlan } from '../../test/support/plans.ts'
import { plainContainer, type ContainerOptions } from '../domain/container.ts'
import type { ProcessPlan } from '../domain/plan.ts'
import { copyIdentity } from '../domain/copy-identity.ts'
import { changedFields } from './process-fields.ts'

const differences = (was: Partial<ProcessPlan>, is: Partial<ProcessPlan>) =>
  changedFields(processPlan(was), processPlan(is)).map(({ name, from, to }) => `${name}: ${from} → ${to}`)

const key = (content = 'hunter2', mode = 0o440) => fileMount('/run/secrets/key', content, { mode, gid: 70 })

test('nothing differs between a plan and itself', () => {
  const files = [key()]
  assert.deepEqual(differences({ files, labels: { a: 'b' } }, { files, labels: { a: 'b' } }), [])
})

test('files by name, path and mode; another content is told of, and not shown', () => {
  const other = key('hunter3')
  const place = 'key:/run/secrets/key (440 0:70)'
  assert.deepEqual(differences({}, { files: [key()] }), [`files: null → ${place}`])
  assert.deepEqual(differences({ files: [key()] }, { files: [other] }), [
    `files: ${place} → ${place} with other content`,
  ])
  assert.deepEqual(differences({ files: [key()] }, { files: [key('hunter2', 0o400)] }), [
    `files: ${place} → key:/run/secrets/key (400 0:70)`,
  ])
  const all = changedFields(processPlan({ files: [key()] }), processPlan({ files: [other] }))
  assert.ok(!JSON.stringify(all).includes(other.content) && !JSON.stringify(all).includes(key().content))
})

test('mounts of every kind, with what is particular about them', () => {
  const mounts: ProcessPlan['mounts'] = [
    { kind: 'volume', volume: 'data', path: '/data', readOnly: true, noCopy: true },
    { kind: 'bind', source: '/srv', path: '/srv', readOnly: false },
    { kind: 'tmpfs', path: '/tmp', readOnly: false, sizeBytes: 2 ** 20, mode: 0o1777, options: ['exec'] },
    { kind: 'discarded', path: '/cache', readOnly: false },
  ]
  assert.deepEqual(differences({ mounts }, {}), [
    'mounts: /srv:/srv data:/data:ro,nocopy discarded:/cache tmpfs:/tmp:size=1MiB,mode=1777,exec → null',
  ])
})

test('every option of a container has a field', () => {
  const full: ContainerOptions = {
    hostname: 'till',
    domainname: 'shop.example',
    groups: ['b', 'a'],
    capAdd: ['NET_ADMIN'],
    capDrop: ['ALL'],
    privileged: true,
    devices: [{ source: '/dev/a', path: '/dev/b', permissions: 'rw' }],
    deviceRules: ['c 189:* rmw'],
    gpus: { driver: null, count: null, ids: ['0', '3'], capabilities: ['compute', 'gpu'] },
    hostNamespaces: ['ipc', 'pid'],
    readOnly: true,
    securityOptions: ['seccomp=unconfined'],
    shmBytes: 2 ** 20,
    sysctls: { b: '2', a: '1' },
    ulimits: [{ name: 'nofile', soft: 1, hard: -1 }],
    pids: 7,
    oomScoreAdj: -5,
    dns: { servers: ['10.0.0.1'], search: ['example'], options: ['ndots:1'] },
    tty: true,
    stdinOpen: true,
  }
  assert.deepEqual(differences({}, { container: full }), [
    'hostname: null → till',
    'domainname: null → shop.example',
    'group_add: null → a b',
    'cap_add: null → NET_ADMIN',
    'cap_drop: null → ALL',
    'privileged: null → true',
    'devices: null → /dev/a:/dev/b:rw',
    'device_cgroup_rules: null → c 189:* rmw',
    'gpus: null → 0 3 for compute gpu',
    'of the machine: null → ipc pid',
    'read_only: null → true',
    'security_opt: null → seccomp=unconfined',
    'shm_size: null → 1 MiB',
    'sysctls: null → a=1 b=2',
    'ulimits: null → nofile=1:-1',
    'pids_limit: null → 7',
    'oom_score_adj: null → -5',
    'dns: null → 10.0.0.1',
    'dns_search: null → example',
    'dns_opt: null → ndots:1',
    'tty: null → true',
    'stdin_open: null → true',
  ])
  for (const name of Object.keys(plainContainer)) {
    const only = { ...plainContainer, [name]: full[name as keyof ContainerOptions] }
    assert.notDeepEqual(differences({}, { container: only }), [], name)
  }
})

test('labels, and the types with which one restarts', () => {
  assert.deepEqual(differences({ labels: { b: '2', a: '1' } }, { restartsWith: ['db', 'api'] }), [
    'labels: a=1 b=2 → null',
    'restarts with: null → api db',
  ])
})

test('a variable with another value is told of, and the value is not shown', () => {
  const environment = { A: 'hunter2', B: '1', RELEASE: 'R1', BUILD: 'B1' }
  const other = { A: 'hunter3', B: '1', C: 'new', RELEASE: 'R2', BUILD: 'B2' }
  assert.deepEqual(differences({ environment }, { environment: other }), [
    'variables: A B BUILD RELEASE → A (another value) B BUILD C RELEASE',
  ])
  const release = { ...environment, RELEASE: 'R2', BUILD: 'B2' }
  assert.deepEqual(differences({ environment }, { environment: release }), [])
})

test('whatever replaces a copy has a field', () => {
  const says: Partial<ProcessPlan>[] = [
    { imageDigest: `sha256:${'1'.repeat(64)}` },
    { command: ['x'] },
    { entrypoint: ['x'] },
    { environment: { A: 'b' } },
    { user: 'x' },
    { workingDir: '/x' },
    { init: true },
    { cpuUnits: 7 },
    { memoryBytes: 7 * 2 ** 20 },
    { extras: { gpu: 1 } },
    { healthcheck: { test: ['NONE'], intervalMs: 1, timeoutMs: 1, retries: 1, startPeriodMs: 0 } },
    { restart: 'no' },
    { extraHosts: [{ host: 'db', address: '10.0.0.9' }] },
    { stopSignal: 'SIGQUIT' },
    { labels: { a: 'b' } },
    { files: [key()] },
  ]
  for (const one of says) {
    const name = Object.keys(one).join()
    assert.notEqual(copyIdentity(processPlan(one)), copyIdentity(processPlan({})), name)
    assert.equal(differences({}, one).length, 1, name)
  }
})
