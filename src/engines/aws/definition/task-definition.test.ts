import assert from 'node:assert/strict'
import { test } from 'node:test'
import { plainContainer } from '../../../domain/container.ts'
import { appOwner } from '../../../domain/owner.ts'
import { assertGolden } from '../../../../test/support/golden.ts'
import { fileMount, processPlan, servesHttp } from '../../../../test/support/plans.ts'
import { taskDefinition, type DefinitionInput } from './task-definition.ts'
import { taskFiles } from './task-files.ts'
import { waysOf, waysText } from '../../../domain/ways.ts'

const input = (plan: DefinitionInput['plan']): DefinitionInput => ({
  rack: 'r1',
  places: { region: 'eu-west-1', fileSystem: 'fs-1', toolImage: 'rack/tool@sha256:22' },
  app: { securityGroup: 'sg-1', executionRole: 'arn:aws:iam::1:role/e', taskRole: 'arn:aws:iam::1:role/t' },
  generation: { owner: appOwner('shop'), type: plan.type, id: 'GABCDEFGHIJ' },
  release: 'RAAAAAAAAAA',
  plan,
  files: taskFiles(plan),
  secrets: new Map(
    Object.keys({ ...plan.environment, ...taskFiles(plan).contents }).map((name) => [
      name,
      'arn:aws:secretsmanager:x:secret:s',
    ]),
  ),
  accessPoints: new Map([['data', 'fsap-1']]),
})

const shown = (plan: DefinitionInput['plan']) => `${JSON.stringify(taskDefinition(input(plan)), null, 2)}\n`

test('a port is mapped once, as what a balancer leads to it by', () => {
  const port = (external: number | null, container: number, protocol: 'tcp' | 'udp') => ({
    external,
    container,
    protocol,
    proxy: false as const,
    secure: false,
  })
  const ports = [port(53, 5353, 'udp'), port(null, 5353, 'tcp'), port(25, 2525, 'tcp')]
  const { containerDefinitions = [] } = taskDefinition(input(processPlan({ ports, internalPorts: [5353] })))
  assert.deepEqual(containerDefinitions.find(({ name }) => name === 'main')?.portMappings, [
    { containerPort: 2525, protocol: 'tcp' },
    { containerPort: 5353, protocol: 'udp' },
  ])
})

test('the task definition of a plain type, and of one that uses all', () => {
  assertGolden(
    'aws/task.json',
    shown(processPlan({ environment: { PORT: '8080' }, ...servesHttp(8080, ['a.b']) })),
  )
  const full = processPlan({
    type: 'worker',
    command: ['work', '--all'],
    entrypoint: ['/init'],
    user: '1000:1000',
    workingDir: '/srv',
    init: true,
    labels: { team: 'blue' },
    extraHosts: [{ host: 'db', address: '10.0.0.9' }],
    stopGraceMs: 500_000,
    healthcheck: {
      test: ['CMD-SHELL', 'true'],
      intervalMs: 1000,
      timeoutMs: 1000,
      retries: 20,
      startPeriodMs: 400_000,
    },
    mounts: [
      { kind: 'volume', volume: 'data', path: '/data', readOnly: false, noCopy: false },
      { kind: 'volume', volume: 'data', path: '/again', readOnly: true, noCopy: true },
      { kind: 'tmpfs', path: '/tmp', readOnly: false, sizeBytes: null, mode: 0o1777, options: ['noexec'] },
      { kind: 'discarded', path: '/var/cache', readOnly: false },
    ],
    files: [
      fileMount('/etc/app.conf', 'a', { kind: 'config' }),
      fileMount('/run/secrets/key', 'b', { mode: 0o400, uid: 5 }),
      fileMount('/tmp/deep/key', 'c'),
      fileMount('/tmp/deep/app.conf', 'd', { kind: 'config' }),
    ],
    container: {
      ...plainContainer,
      capAdd: ['SYS_PTRACE', 'CHOWN'],
      capDrop: ['NET_RAW'],
      readOnly: true,
      hostname: 'me',
      shmBytes: 2 ** 27,
      ulimits: [{ name: 'nofile', soft: 1024, hard: -1 }],
      sysctls: { 'net.core.somaxconn': '1024' },
      dns: { servers: [], search: ['corp.example'], options: ['ndots:2'] },
    },
  })
  assertGolden('aws/task-full.json', shown(full))
})

test('a secret is behind a link, a config in the image, and both in a volume below a directory in memory', () => {
  const plan = processPlan({
    files: [
      fileMount('/etc/app.conf', 'a', { kind: 'config', mode: 0o640 }),
      fileMount('/run/secrets/key', 'b', { mode: 0o400, uid: 5 }),
      fileMount('/tmp/deep/key', 'c'),
    ],
    mounts: [{ kind: 'tmpfs', path: '/tmp', readOnly: false, sizeBytes: null, mode: null, options: [] }],
  })
  assert.deepEqual(taskFiles(plan), {
    laid: [
      { path: '/etc/app.conf', mode: 0o640, uid: 0, gid: 0, what: { content: Buffer.from('a') } },
      { path: '/run/secrets/key', mode: 0o777, uid: 5, gid: 0, what: { link: '/run/rack/1' } },
    ],
    orders: [
      { path: '1', variable: 'RACK_FILE_1', mode: 0o400, uid: 5, gid: 0 },
      { path: 'files-0/key', variable: 'RACK_FILE_2', mode: 0o444, uid: 0, gid: 0 },
    ],
    contents: { 'file-1': 'Yg==', 'file-2': 'Yw==' },
    directories: ['/tmp/deep'],
  })
  assert.throws(() => taskFiles(processPlan({ files: [fileMount('/key', 'x'.repeat(50_000))] })), {
    code: 'invalid',
  })
})

test('one way in for the web by the first of its ports, one for each raw port; none for what is local', () => {
  const port = { container: 8080, proxy: false as const, secure: false }
  const ports = [
    { ...port, external: 80, protocol: 'http' as const },
    { ...port, external: 443, protocol: 'https' as const },
    { ...port, external: 5000, container: 9000, protocol: 'tcp' as const },
    { ...port, external: 6000, protocol: 'tcp' as const, isLocal: true as const },
    { ...port, external: null, protocol: 'tcp' as const },
  ]
  assert.deepEqual(
    waysOf({ ports }).map(({ name }) => name),
    ['web', 'tcp 5000'],
  )
  assert.equal(waysText({ ports: [] }), '')
  assert.notEqual(waysText({ ports }), waysText({ ports: ports.slice(0, 1) }))
})

test('who drops all capabilities but some keeps those', () => {
  const dropped = (capDrop: string[], capAdd: string[]) => {
    const container = { ...plainContainer, capDrop, capAdd }
    const { containerDefinitions = [] } = taskDefinition(input(processPlan({ container })))
    return containerDefinitions.find(({ name }) => name === 'main')!.linuxParameters?.capabilities
  }
  assert.deepEqual(dropped(['ALL'], []), { drop: ['ALL'] })
  const but = dropped(['ALL'], ['NET_BIND_SERVICE', 'SYS_PTRACE'])
  assert.deepEqual(but?.add, ['SYS_PTRACE'])
  assert.ok(
    but?.drop?.includes('CHOWN') && !but.drop.includes('NET_BIND_SERVICE') && !but.drop.includes('ALL'),
  )
  assert.deepEqual(dropped(['NET_RAW'], ['SYS_PTRACE']), { add: ['SYS_PTRACE'], drop: ['NET_RAW'] })
})

test('volumes whose names ECS does not take are told apart', () => {
  const mounts = ['/a/b', '/a-b'].map((path) => ({ kind: 'discarded' as const, path, readOnly: false }))
  const { volumes = [] } = taskDefinition(input(processPlan({ mounts })))
  assert.equal(new Set(volumes.map(({ name }) => name)).size, volumes.length)
  assert.ok(volumes.length >= 3)
})
