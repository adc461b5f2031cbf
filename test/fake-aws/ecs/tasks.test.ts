import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Task } from '@aws-sdk/client-ecs'
import { cluster, container, createEcsWorld, sleep, type EcsWorld } from './ecs-world.ts'

let world: EcsWorld

before(async () => {
  world = await createEcsWorld()
})

after(async () => {
  await world.close()
  assert.deepEqual(world.account.troubles, [])
})

const hasStopped = ({ lastStatus }: Task) => lastStatus === 'STOPPED'
const linesOf = (name: string) =>
  world.lines.filter(({ stream }) => stream.includes(`/${name}/`)).map(({ text }) => text)

test('a task that is run gives its exit code, and a repeated token the same task', async () => {
  const definition = await world.define('job', [container('main', 'exit 7')])
  const overrides = {
    containerOverrides: [
      {
        name: 'main',
        command: ['echo "$GREETING from $SECRET"; exit 5'],
        environment: [{ name: 'GREETING', value: 'hi' }],
      },
    ],
  }
  const secret = await world.define('job', [
    container('main', 'exit 7', { secrets: [{ name: 'SECRET', valueFrom: 'arn:known' }] }),
  ])
  const more = { overrides, clientToken: 'once', group: 'run:shop_web', startedBy: 'operation-1' }
  const task = await world.run(secret, more)
  assert.equal((await world.run(secret, more)).taskArn, task.taskArn)
  await assert.rejects(world.run(definition, more), { name: 'ConflictException' })
  const ended = await world.untilTask(task.taskArn!, hasStopped)
  assert.equal(ended.stopCode, 'EssentialContainerExited')
  assert.equal(ended.containers![0]!.exitCode, 5)
  assert.equal(ended.group, 'run:shop_web')
  assert.ok(ended.startedAt === undefined || ended.startedAt <= ended.stoppedAt!)
  assert.ok(linesOf('main').includes('hi from s3cret'))
})

test('an init container prepares what all containers of the task share', async () => {
  const init = [
    'echo "10.9.9.9 elsewhere" >> /etc/hosts',
    'echo "search shop.R.internal" >> /etc/resolv.conf',
    'echo prepared > /shared/note',
  ].join('; ')
  const main =
    'cat /shared/note; grep elsewhere /etc/hosts; tail -1 /etc/resolv.conf; hostname -i; cat /data/kept; id -u'
  const mountPoints = [{ sourceVolume: 'shared', containerPath: '/shared' }]
  const definition = await world.define(
    'prepared',
    [
      container('rack', `${init}; cat /shared/note > /data/kept`, {
        essential: false,
        user: '0',
        mountPoints: [...mountPoints, { sourceVolume: 'kept', containerPath: '/data' }],
      }),
      container('main', main, {
        user: '1000',
        readonlyRootFilesystem: true,
        dependsOn: [{ containerName: 'rack', condition: 'SUCCESS' }],
        mountPoints: [...mountPoints, { sourceVolume: 'kept', containerPath: '/data', readOnly: true }],
        linuxParameters: { tmpfs: [{ containerPath: '/tmp', size: 16 }] },
        systemControls: [{ namespace: 'net.core.somaxconn', value: '512' }],
      }),
    ],
    {
      volumes: [
        { name: 'shared' },
        {
          name: 'kept',
          efsVolumeConfiguration: {
            fileSystemId: 'fs',
            transitEncryption: 'ENABLED',
            authorizationConfig: { accessPointId: 'a', iam: 'ENABLED' },
          },
        },
      ],
    },
  )
  const task = await world.run(definition)
  const ended = await world.untilTask(task.taskArn!, hasStopped)
  const lines = linesOf('main').slice(-6)
  assert.equal(ended.containers!.find(({ name }) => name === 'main')!.exitCode, 0, lines.join('\n'))
  assert.deepEqual(lines.slice(0, 3), ['prepared', '10.9.9.9 elsewhere', 'search shop.R.internal'])
  assert.deepEqual(lines.slice(4), ['prepared', '1000'])
})

test('what keeps a task from starting is its reason', async () => {
  const secrets = [{ name: 'SECRET', valueFrom: 'arn:unknown' }]
  const cases = {
    secret: await world.define('secret', [container('main', sleep, { secrets })]),
    image: await world.define('image', [container('main', sleep, { image: 'repository/none' })]),
    command: await world.define('command', [container('main', sleep, { entryPoint: ['/none'] })]),
    init: await world.define('init', [
      container('rack', 'exit 4', { essential: false }),
      container('main', sleep, { dependsOn: [{ containerName: 'rack', condition: 'SUCCESS' }] }),
    ]),
  }
  const ended = await Promise.all(
    Object.entries(cases).map(async ([name, definition]) => {
      const { taskArn } = await world.run(definition)
      return [name, await world.untilTask(taskArn!, hasStopped)] as const
    }),
  )
  const { secret, image, command, init } = Object.fromEntries(ended) as Record<keyof typeof cases, Task>
  for (const { stopCode } of [secret, image, command, init]) assert.equal(stopCode, 'TaskFailedToStart')
  assert.match(secret.stoppedReason!, /^ResourceInitializationError: .*arn:unknown/)
  assert.match(image.containers![0]!.reason!, /^CannotPullContainerError: .*not found/)
  assert.match(command.containers![0]!.reason!, /^CannotStartContainerError: /)
  assert.equal(init.containers!.find(({ name }) => name === 'rack')!.exitCode, 4)
  assert.match(init.stoppedReason!, /did not exit successfully/)
})

test('a process out of memory is told of as such', async () => {
  const eat = 'x=x; while :; do x=$x$x$x$x; done'
  const { taskArn } = await world.run(await world.define('hungry', [container('main', eat, { memory: 16 })]))
  const ended = await world.untilTask(taskArn!, hasStopped)
  assert.equal(ended.containers![0]!.exitCode, 137)
  assert.match(ended.containers![0]!.reason!, /^OutOfMemoryError: /)
})

test('one that does not listen is killed when its time is over, and one that starts is stopped in between', async () => {
  const deaf = container('main', 'trap "" TERM; echo up; while :; do sleep 0.1; done', { stopTimeout: 1 })
  const definition = await world.define('deaf', [deaf])
  const [late, early] = await Promise.all([world.run(definition), world.run(definition)])
  await world.send('StopTask', { cluster, task: early.taskArn, reason: 'no longer wanted' })
  const never = await world.untilTask(early.taskArn!, hasStopped)
  assert.equal(never.stoppedReason, 'no longer wanted')
  assert.equal(never.containers![0]!.exitCode, undefined)
  await world.untilTask(late.taskArn!, ({ lastStatus }) => lastStatus === 'RUNNING')
  await world.send('StopTask', { cluster, task: late.taskArn })
  const killed = await world.untilTask(late.taskArn!, hasStopped)
  assert.equal(killed.stopCode, 'UserInitiated')
  assert.equal(killed.containers![0]!.exitCode, 137)
  assert.equal(killed.containers![0]!.reason, undefined)
})

test('containers come in the order of their conditions, and the agent of exec needs room to write', async () => {
  const healthCheck = { command: ['CMD', 'test', '-e', '/shared/ready'], interval: 5, retries: 10 }
  const mountPoints = [{ sourceVolume: 'shared', containerPath: '/shared' }]
  const note = (name: string) => `echo ${name} >> /shared/order`
  const definition = await world.define(
    'ordered',
    [
      container('main', `${note('main')}; cat /shared/order; ${sleep}`, {
        mountPoints,
        readonlyRootFilesystem: true,
        dependsOn: [
          { containerName: 'beside', condition: 'HEALTHY' },
          { containerName: 'first', condition: 'COMPLETE' },
        ],
      }),
      container('beside', `${note('beside')}; sleep 1; touch /shared/ready; ${sleep}`, {
        mountPoints,
        healthCheck,
        dependsOn: [{ containerName: 'first', condition: 'START' }],
      }),
      container('first', `${note('first')}; exit 9`, { mountPoints, essential: false }),
    ],
    { volumes: [{ name: 'shared' }] },
  )
  const { taskArn } = await world.run(definition, { enableExecuteCommand: true })
  const agentOf = (task: Task, wanted: string) =>
    task.containers!.find(({ name }) => name === wanted)!.managedAgents![0]!.lastStatus
  await world.untilTask(
    taskArn!,
    (task) => task.lastStatus === 'RUNNING' && agentOf(task, 'beside') === 'RUNNING',
  )
  assert.deepEqual(linesOf('main').slice(-4), ['first', 'beside', 'main', 'up'])
  assert.throws(() => world.ecs.containers.find(taskArn!, 'main'), { message: /agent isn’t running/ })
  assert.match(world.ecs.containers.find(taskArn!, 'beside'), /^[0-9a-f]{64}$/)
  await world.send('StopTask', { cluster, task: taskArn })
  const ended = await world.untilTask(taskArn!, hasStopped)
  assert.deepEqual(
    ended.containers!.map(({ exitCode }) => exitCode),
    [0, 0, 9],
  )
})
