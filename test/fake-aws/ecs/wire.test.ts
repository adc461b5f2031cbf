import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { ECS } from '@aws-sdk/client-ecs'
import { clientConfig } from '../client-config.ts'
import { startServer } from '../server.ts'
import {
  cluster,
  container,
  createEcsWorld,
  place,
  sleep,
  taskDefinition,
  type EcsWorld,
} from './ecs-world.ts'

let world: EcsWorld

before(async () => {
  world = await createEcsWorld()
})

after(async () => {
  await world.close()
  assert.deepEqual(world.account.troubles, [])
})

test('what is answered can be read by the SDK', async () => {
  const server = await startServer({ ...world.account, services: [world.ecs] })
  const ecs = new ECS(clientConfig(server))
  try {
    const { taskDefinition: definition } = await ecs.registerTaskDefinition({
      ...taskDefinition('web', [container('main', sleep, { portMappings: [{ containerPort: 80 }] })]),
      tags: [{ key: 'rack:app', value: 'shop' }],
    })
    const described = await ecs.describeTaskDefinition({ taskDefinition: 'web', include: ['TAGS'] })
    assert.deepEqual(described.tags, [{ key: 'rack:app', value: 'shop' }])

    const input = { ...place, cluster, serviceName: 'web', taskDefinition: definition!.taskDefinitionArn }
    const { service } = await ecs.createService({ ...input, desiredCount: 0 })
    await ecs.tagResource({
      resourceArn: service!.serviceArn!,
      tags: [{ key: 'rack:state', value: 'proved' }],
    })
    const found = await ecs.describeServices({ cluster, services: ['web', 'none'], include: ['TAGS'] })
    assert.deepEqual(found.services![0]!.tags, [{ key: 'rack:state', value: 'proved' }])
    assert.equal(found.failures![0]!.reason, 'MISSING')

    const { tasks } = await ecs.runTask({ ...place, cluster, taskDefinition: 'web', clientToken: 'once' })
    const { task } = await ecs.stopTask({ cluster, task: tasks![0]!.taskArn! })
    assert.equal(task!.desiredStatus, 'STOPPED')
    await ecs.describeTasks({ cluster, tasks: [task!.taskArn!], include: ['TAGS'] })
    await ecs.updateTaskProtection({ cluster, tasks: [task!.taskArn!], protectionEnabled: true })

    const missing = ecs.updateService({ cluster, service: 'none', desiredCount: 1 })
    await assert.rejects(missing, { name: 'ServiceNotFoundException' })
    await assert.rejects(ecs.listServices({ cluster: 'none' }), { name: 'ClusterNotFoundException' })
    await ecs.deregisterTaskDefinition({ taskDefinition: 'web:1' })
    const inactive = ecs.createService({ ...input, serviceName: 'other', desiredCount: 1 })
    await assert.rejects(inactive, { name: 'ClientException', message: 'TaskDefinition is inactive' })
    await ecs.deleteTaskDefinitions({ taskDefinitions: ['web:1'] })
    await ecs.deleteService({ cluster, service: 'web' })
  } finally {
    ecs.destroy()
    await server.close()
  }
})

test('listings come in pages', async () => {
  const names = ['a', 'b', 'c', 'd', 'e'].map((end) => `paged${end}`)
  for (const family of names) await world.define(family, [container('main', sleep)])
  const listed: string[] = []
  let nextToken: string | undefined
  do {
    const input: object = nextToken === undefined ? { maxResults: 100 } : { maxResults: 100, nextToken }
    const page = await world.send<{ families: string[]; nextToken?: string }>('ListTaskDefinitionFamilies', {
      familyPrefix: 'paged',
      ...input,
    })
    assert.ok(page.families.length <= 2)
    listed.push(...page.families)
    nextToken = page.nextToken
  } while (nextToken !== undefined)
  assert.deepEqual(listed, names)
})
