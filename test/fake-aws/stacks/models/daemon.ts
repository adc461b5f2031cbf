import type { Service } from '@aws-sdk/client-ecs'
import type { Action, FakeAccount } from '../../fake-service.ts'
import { isRecord } from '../../wire/value.ts'
import { text, type Inventory, type Properties, type ResourceModel } from './model.ts'

export interface EcsLinks {
  account: FakeAccount
  /** Of ECS, by name. */
  actions: () => Record<string, Action>
}

/** How often a service is asked whether it is as it should be (J). */
const lookMs = 2000

/** What of ECS stacks make: a task and its service, with which the stack waits until that is steady (D). */
export function daemonModels(links: EcsLinks, inventory: Inventory): Record<string, ResourceModel> {
  return {
    'AWS::ECS::TaskDefinition': taskDefinition(links, inventory),
    'AWS::ECS::Service': service(links),
  }
}

/** The API has the names of a template with small first letters; keys of its maps are in neither. */
function asCalled(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(asCalled)
  if (!isRecord(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [
      /^[A-Z]/.test(name) ? `${name[0]!.toLowerCase()}${name.slice(1)}` : name,
      name === 'Options' ? each : asCalled(each),
    ]),
  )
}

function caller({ actions }: EcsLinks) {
  const call = { service: 'ecs', accessKeyId: 'cloudformation', requestId: '' }
  return async <T>(action: string, input: object): Promise<T> =>
    (await actions()[action]!(input, { ...call, action })) as T
}

function taskDefinition(links: EcsLinks, { roles }: Inventory): ResourceModel {
  const call = caller(links)
  return {
    takesMs: 2000,
    async create(properties) {
      const input = asCalled(properties) as { taskRoleArn?: string; executionRoleArn?: string }
      for (const arn of [input.taskRoleArn, input.executionRoleArn])
        if (arn !== undefined && !roles.has(arn)) throw new Error('Role is not valid')
      const { taskDefinition: made } = await call<{ taskDefinition: { taskDefinitionArn: string } }>(
        'RegisterTaskDefinition',
        input,
      )
      return { physical: made.taskDefinitionArn, attributes: { TaskDefinitionArn: made.taskDefinitionArn } }
    },
    // D: but for its tags every property makes another one.
    update: () => {},
    delete: async ({ physical }) =>
      void (await call('DeregisterTaskDefinition', { taskDefinition: physical })),
  }
}

function service(links: EcsLinks): ResourceModel {
  const call = caller(links)
  const { clock } = links.account
  const look = async (arn: string): Promise<Service> => {
    const [, cluster, name] = /service\/([^/]+)\/(.+)$/.exec(arn)!
    const { services } = await call<{ services: Service[] }>('DescribeServices', {
      cluster,
      services: [name],
    })
    return services[0]!
  }
  const untilSteady = async (arn: string) => {
    for (;;) {
      const { deployments = [] } = await look(arn)
      const [newest] = deployments
      if (newest?.rolloutState === 'COMPLETED') return
      // D: its words for a deployment that the breaker ends.
      if (newest?.rolloutState === 'FAILED')
        throw new Error('Error occurred during operation ECS Deployment Circuit Breaker was triggered.')
      await clock.pass(lookMs)
    }
  }
  /** J: a rollback takes one away that has failed, too; one that somebody has deleted is taken for removed. */
  const remove = async (arn: string, { Cluster }: Properties) => {
    if ((await look(arn)).status === 'INACTIVE') return
    await call('DeleteService', { cluster: text(Cluster), service: arn, force: true })
    while ((await look(arn)).status !== 'INACTIVE') await clock.pass(lookMs)
  }
  const settings = ({ Cluster, TaskDefinition, DesiredCount, ...others }: Properties) => ({
    cluster: text(Cluster),
    taskDefinition: text(TaskDefinition),
    desiredCount: Number(DesiredCount),
    ...(asCalled(others) as Properties),
  })
  return {
    takesMs: 3000,
    named: 'ServiceName',
    async create(properties, generated) {
      const serviceName = text(properties['ServiceName']) ?? generated
      const made = await call<{ service: Service }>('CreateService', { ...settings(properties), serviceName })
      const arn = made.service.serviceArn!
      try {
        await untilSteady(arn)
      } catch (error) {
        await remove(arn, properties)
        throw error
      }
      return { physical: arn, attributes: { ServiceArn: arn, Name: serviceName } }
    },
    async update({ physical, attributes }, properties) {
      const { cluster, taskDefinition, desiredCount } = settings(properties)
      const input = { cluster, taskDefinition, desiredCount, service: attributes['Name'] }
      await call('UpdateService', input)
      await untilSteady(physical)
    },
    delete: async ({ physical }, properties) => await remove(physical, properties),
  }
}
