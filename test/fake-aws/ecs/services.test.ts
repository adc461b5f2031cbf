import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Task } from '@aws-sdk/client-ecs'
import { until } from '../../../src/lib/poll.ts'
import { cluster, container, createEcsWorld, place, sleep, type EcsWorld } from './ecs-world.ts'

let world: EcsWorld

before(async () => {
  world = await createEcsWorld()
})

after(async () => {
  await world.close()
  assert.deepEqual(world.account.troubles, [])
})

const deadlineMs = 30_000
const web = () => container('main', sleep, { portMappings: [{ containerPort: 80 }] })

async function createService(name: string, more: object = {}) {
  const taskDefinition = await world.define(name, [web()])
  const loadBalancers = [{ targetGroupArn: 'group', containerName: 'main', containerPort: 80 }]
  const serviceRegistries = [{ registryArn: 'registry' }]
  const input = {
    ...place,
    cluster,
    serviceName: name,
    taskDefinition,
    loadBalancers,
    serviceRegistries,
    ...more,
  }
  await world.send('CreateService', { desiredCount: 2, clientToken: name, ...input })
  return input
}

async function untilRunning(name: string, count: number): Promise<Task[]> {
  return await until(
    async () => {
      const running = (await world.tasksOf(name)).filter(({ lastStatus }) => lastStatus === 'RUNNING')
      return running.length === count && running
    },
    { deadlineMs, what: `${count} tasks of ${name}` },
  )
}

const addressOf = (task: Task) =>
  task.attachments![0]!.details!.find(({ name }) => name === 'privateIPv4Address')!.value!

test('a service of two copies comes, replaces what crashes, spares what is protected, and goes', async () => {
  const input = await createService('web', { enableExecuteCommand: true })
  const first = await untilRunning('web', 2)
  await until(async () => (await world.describe('web')).deployments![0]!.rolloutState === 'COMPLETED', {
    deadlineMs,
    what: 'a steady state',
  })
  assert.deepEqual([...world.targets.keys()].sort(), first.map((task) => `${addressOf(task)}:80`).sort())
  assert.deepEqual([...world.instances.values()].sort(), first.map(addressOf).sort())
  assert.equal(first[0]!.group, 'service:web')

  // The same token is the same call; another one, of an active service, is not.
  await world.send('CreateService', { desiredCount: 2, clientToken: 'web', ...input })
  const again = world.send('CreateService', { desiredCount: 2, clientToken: 'other', ...input })
  await assert.rejects(again, { name: 'InvalidParameterException', message: /not idempotent/ })

  const crashing = first[0]!.taskArn!
  await world.untilTask(
    crashing,
    ({ containers }) => containers![0]!.managedAgents![0]!.lastStatus === 'RUNNING',
  )
  await world.inside(world.ecs.containers.find(crashing, 'main'), ['kill', '-TERM', '1'])
  const crashed = await world.untilTask(crashing, ({ desiredStatus }) => desiredStatus === 'STOPPED')
  assert.equal(crashed.stopCode, 'EssentialContainerExited')
  const second = await until(
    async () => {
      const running = await untilRunning('web', 2)
      return running.every(({ taskArn }) => taskArn !== crashing) && running
    },
    { deadlineMs, what: 'a replacement' },
  )

  const [kept, spare] = second
  await world.send('UpdateTaskProtection', { cluster, tasks: [kept!.taskArn], protectionEnabled: true })
  await world.send('UpdateService', { cluster, service: 'web', desiredCount: 1 })
  const gone = await world.untilTask(spare!.taskArn!, ({ lastStatus }) => lastStatus === 'STOPPED')
  assert.equal(gone.stopCode, 'ServiceSchedulerInitiated')
  assert.equal(gone.containers![0]!.exitCode, 0)
  assert.ok(
    world.lines.some(({ text, stream }) => text === 'told to end' && stream.startsWith('web.R1/main/')),
  )

  // Protected: the count of 0 does not end it.
  world.world.drainsByItself = false
  await world.send('UpdateService', { cluster, service: 'web', desiredCount: 0 })
  await world.account.clock.pass(10_000)
  assert.equal((await world.describe('web')).runningCount, 1)
  await world.send('UpdateTaskProtection', { cluster, tasks: [kept!.taskArn], protectionEnabled: false })
  await world.untilTask(kept!.taskArn!, ({ lastStatus }) => lastStatus === 'DEACTIVATING')

  await world.send('DeleteService', { cluster, service: 'web' })
  const taken = world.send('CreateService', { desiredCount: 1, ...input })
  await assert.rejects(taken, { message: /still Draining/ })
  // It drains before its process hears of the end.
  assert.equal((await world.describe('web')).status, 'DRAINING')
  world.left.at(-1)!.leave()
  world.world.drainsByItself = true
  const is = async (status: string) => (await world.describe('web')).status === status
  await until(() => is('INACTIVE'), { deadlineMs, what: 'an inactive service' })
  assert.equal(world.targets.size, 0)
  assert.equal(world.instances.size, 0)
  await world.send('CreateService', { desiredCount: 0, ...input })
  await until(() => is('ACTIVE'), { deadlineMs, what: 'a new service of the name' })
})

test('a container that stays unhealthy, and a target that does, are replaced', async () => {
  const healthCheck = { command: ['CMD-SHELL', 'test ! -e /tmp/sick'], interval: 5, retries: 2 }
  const main = container('main', sleep, { portMappings: [{ containerPort: 80 }], healthCheck })
  const taskDefinition = await world.define('sick', [main])
  await createService('sick', { taskDefinition, desiredCount: 1, enableExecuteCommand: true })
  const [first] = await untilRunning('sick', 1)
  const healthy = await world.untilTask(first!.taskArn!, (task) => {
    return task.healthStatus === 'HEALTHY' && task.containers![0]!.managedAgents![0]!.lastStatus === 'RUNNING'
  })
  assert.equal(healthy.lastStatus, 'RUNNING')
  await world.inside(world.ecs.containers.find(first!.taskArn!, 'main'), ['touch', '/tmp/sick'])
  const ended = await world.untilTask(first!.taskArn!, ({ desiredStatus }) => desiredStatus === 'STOPPED')
  assert.equal(ended.stoppedReason, 'Task failed container health checks')
  // Its successor was there before.
  const [second] = await untilRunning('sick', 1)
  world.sick.add(`${addressOf(second!)}:80`)
  const told = await world.untilTask(second!.taskArn!, ({ desiredStatus }) => desiredStatus === 'STOPPED')
  assert.match(told.stoppedReason!, /^Task failed ELB health checks/)
  await world.send('DeleteService', { cluster, service: 'sick', force: true })
})

test('a service whose tasks do not come up is given up after as many as the breaker counts', async () => {
  const taskDefinition = await world.define('broken', [container('main', 'exit 3')])
  await world.send('CreateService', {
    ...place,
    cluster,
    serviceName: 'broken',
    taskDefinition,
    desiredCount: 1,
    deploymentConfiguration: {
      minimumHealthyPercent: 0,
      maximumPercent: 100,
      deploymentCircuitBreaker: {
        enable: true,
        rollback: false,
        thresholdConfiguration: { type: 'COUNT', value: 2 },
      },
    },
  })
  const failed = await until(
    async () => {
      const { deployments } = await world.describe('broken')
      return deployments![0]!.rolloutState === 'FAILED' && deployments![0]
    },
    { deadlineMs, what: 'the breaker' },
  )
  assert.equal(failed.failedTasks, 2)
  const [ended] = await world.tasksOf('broken', 'STOPPED')
  assert.equal(ended!.containers![0]!.exitCode, 3)
  await world.send('DeleteService', { cluster, service: 'broken', force: true })
})

test('with 0 and 100 percent the old task is gone before its successor is there', async () => {
  const taskDefinition = await world.define('alone', [web()])
  await createService('alone', {
    taskDefinition,
    desiredCount: 1,
    deploymentConfiguration: { minimumHealthyPercent: 0, maximumPercent: 100 },
    availabilityZoneRebalancing: 'DISABLED',
  })
  const [first] = await untilRunning('alone', 1)
  world.world.drainsByItself = false
  world.sick.add(`${addressOf(first!)}:80`)
  await world.untilTask(first!.taskArn!, ({ lastStatus }) => lastStatus === 'DEACTIVATING')
  await world.account.clock.pass(20_000)
  assert.deepEqual(await world.tasksOf('alone'), [])
  world.world.drainsByItself = true
  world.sick.clear()
  world.left.at(-1)!.leave()
  const [second] = await untilRunning('alone', 1)
  const gone = await world.untilTask(first!.taskArn!, ({ lastStatus }) => lastStatus === 'STOPPED')
  assert.ok(gone.stoppedAt! <= second!.createdAt!)
  await world.send('DeleteService', { cluster, service: 'alone', force: true })
})

test('another definition takes the place of the one before, whose task is gone first', async () => {
  const deploymentConfiguration = { minimumHealthyPercent: 0, maximumPercent: 100 }
  const { taskDefinition } = await createService('one', { desiredCount: 1, deploymentConfiguration })
  const [before] = await untilRunning('one', 1)
  const next = await world.define('one', [web()])
  const most: number[] = []
  await world.send('UpdateService', { cluster, service: 'one', taskDefinition: next })
  const after = await until(
    async () => {
      const tasks = await world.tasksOf('one')
      most.push(tasks.filter(({ lastStatus }) => lastStatus === 'RUNNING').length)
      return tasks.find(({ taskArn, lastStatus }) => taskArn !== before!.taskArn && lastStatus === 'RUNNING')
    },
    { deadlineMs, what: 'a task of the next definition' },
  )
  assert.notEqual(next, taskDefinition)
  assert.equal(after.taskDefinitionArn, next)
  assert.ok(
    most.every((count) => count <= 1),
    most.join(),
  )
  await createService('two')
  const refused = world.send('UpdateService', { cluster, service: 'two', taskDefinition: next })
  await assert.rejects(refused, { name: 'UnsupportedFeatureException' })
})
