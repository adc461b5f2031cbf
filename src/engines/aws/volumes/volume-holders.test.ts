import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TaskDefinition } from '@aws-sdk/client-ecs'
import type { KnownTask } from '../processes/describe-process.ts'
import { holdersOf } from './volume-holders.ts'

const definitions = new Map<string, TaskDefinition>([
  [
    'db:1',
    {
      volumes: [
        { efsVolumeConfiguration: { fileSystemId: 'fs', authorizationConfig: { accessPointId: 'ap' } } },
      ],
    },
  ],
  ['web:1', { volumes: [{ name: 'rack' }] }],
])
const task = (process: string, service: string | null, taskDefinitionArn = 'db:1') =>
  ({ last: { process, type: 'db', kind: 'process', service, task: { taskDefinitionArn } } }) as KnownTask
const generation = (desired: number, parked: string[] = [], definition = 'db:1') => ({
  name: 'shop_db_G',
  type: 'db',
  desired,
  parked,
  definition,
})
const processes = (generations: ReturnType<typeof generation>[], tasks: KnownTask[]) =>
  holdersOf(generations, tasks, definitions)
    .get('ap')
    ?.map(({ process }) => process)

test('a volume is held by tasks, by copies that ECS is to start, and by those that the rack may bring back', () => {
  assert.deepEqual(processes([generation(1)], [task('PAAAAAAAAAA', 'shop_db_G')]), ['PAAAAAAAAAA'])
  assert.deepEqual(processes([], [task('PAAAAAAAAAA', null)]), ['PAAAAAAAAAA'], 'a one-off')
  const [place, ...more] = processes([generation(1)], []) ?? []
  assert.match(place ?? '', /^P[A-Z]{10}$/, 'between two tasks, or where none can be started')
  assert.deepEqual(more, [])
  assert.deepEqual(processes([generation(0, ['PBBBBBBBBBB'])], []), ['PBBBBBBBBBB'], 'it has made room')
  assert.equal(processes([generation(0)], []), undefined, 'of which nobody is to run')
  assert.equal(processes([generation(1, [], 'web:1')], []), undefined, 'which has no volume')
})
