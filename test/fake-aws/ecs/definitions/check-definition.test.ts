import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ContainerDefinition, RegisterTaskDefinitionRequest } from '@aws-sdk/client-ecs'
import { container, taskDefinition } from '../ecs-world.ts'
import { checkDefinition } from './check-definition.ts'

const withMain = (more: ContainerDefinition) => ({ containerDefinitions: [container('main', 'true', more)] })
const init = (more: ContainerDefinition = {}) => container('init', 'true', more)
const awaits = (condition: 'SUCCESS' | 'HEALTHY') =>
  container('main', 'true', { dependsOn: [{ containerName: 'init', condition }] })
const shared = (more: object) => ({
  volumes: [{ name: 'data', efsVolumeConfiguration: { fileSystemId: 'fs-1', ...more } }],
})

test('sizes that Fargate has are taken, with a check, an init container and a file system', () => {
  const containers = [init({ essential: false }), awaits('SUCCESS')]
  for (const [cpu, memory] of [
    ['256', '512'],
    ['1024', '8192'],
    ['8192', '20480'],
    ['16384', '122880'],
  ]) {
    checkDefinition({ ...taskDefinition('web', containers), cpu: cpu!, memory: memory! })
  }
  const access = { transitEncryption: 'ENABLED' as const, authorizationConfig: { accessPointId: 'fsap-1' } }
  checkDefinition({ ...taskDefinition('web', containers), ...shared(access) })
})

const refused: [string, Partial<RegisterTaskDefinitionRequest>, RegExp][] = [
  ['a size that Fargate has not', { cpu: '256', memory: '300' }, /No Fargate configuration/],
  ['no size', { memory: undefined }, /cpu and memory at the task level/],
  ['another network', { networkMode: 'bridge' }, /awsvpc/],
  ['a family that is none', { family: 'shop.web' }, /Invalid family/],
  ['no essential container', withMain({ essential: false }), /at least one container must be essential/],
  ['more memory than the task has', withMain({ memory: 1024 }), /greater than that of the task/],
  ['a privileged process', withMain({ privileged: true }), /privileged is not supported/],
  ['a host name', withMain({ hostname: 'db' }), /hostname is not supported/],
  ['a capability', withMain({ linuxParameters: { capabilities: { add: ['NET_ADMIN'] } } }), /NET_ADMIN/],
  [
    'shared memory',
    withMain({ linuxParameters: { sharedMemorySize: 64 } }),
    /no LinuxParameters.sharedMemorySize/,
  ],
  ['another limit', withMain({ ulimits: [{ name: 'nproc', softLimit: 9, hardLimit: 9 }] }), /ulimit nproc/],
  ['a long stop', withMain({ stopTimeout: 121 }), /stopTimeout/],
  ['a quick check', withMain({ healthCheck: { command: ['CMD', 'x'], interval: 1 } }), /interval must be/],
  ['a check without its kind', withMain({ healthCheck: { command: ['x', 'y'] } }), /start with CMD/],
  [
    'a system control',
    withMain({ systemControls: [{ namespace: 'vm.swappiness', value: '1' }] }),
    /vm.swappiness/,
  ],
  ['no log', withMain({ logConfiguration: undefined }), /log options/],
  [
    'another port of the host',
    withMain({ portMappings: [{ containerPort: 80, hostPort: 8080 }] }),
    /must match/,
  ],
  [
    'a port twice, even by another protocol',
    withMain({
      portMappings: [
        { containerPort: 53, protocol: 'tcp' },
        { containerPort: 53, protocol: 'udp' },
      ],
    }),
    /more than one port mapping/,
  ],
  [
    'an unknown volume',
    withMain({ mountPoints: [{ sourceVolume: 'x', containerPath: '/x' }] }),
    /Unknown volume/,
  ],
  ['a directory of the host', { volumes: [{ name: 'x', host: { sourcePath: '/etc' } }] }, /sourcePath/],
  [
    'a file system in the clear',
    shared({ authorizationConfig: { accessPointId: 'a' } }),
    /Transit encryption/,
  ],
  ['an end that ends all', { containerDefinitions: [init(), awaits('SUCCESS')] }, /essential container init/],
  ['health without a check', { containerDefinitions: [init(), awaits('HEALTHY')] }, /no health check/],
  ['a member that is not modelled', { pidMode: 'task' }, /no RegisterTaskDefinition.pidMode/],
]

for (const [what, change, message] of refused) {
  test(`refused: ${what}`, () => {
    const asked = { ...taskDefinition('web', [container('main', 'true')]), ...change }
    assert.throws(() => checkDefinition(asked), { message })
  })
}
