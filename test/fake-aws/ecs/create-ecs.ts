import * as sdk from '@aws-sdk/client-ecs'
import { AwsError, type Action, type FakeService } from '../fake-service.ts'
import type { Containers } from '../links.ts'
import { createBell } from './bell.ts'
import { ecsArn, nameOf } from './arns.ts'
import { createDefinitionActions, forgetDeletedDefinitions } from './definitions/definition-actions.ts'
import { createServiceActions } from './services/service-actions.ts'
import type { EcsLinks, EcsState } from './state.ts'
import { createTagActions } from './tags.ts'
import { connectToDocker, removeTaskObjects } from './task-network.ts'
import { hearHealth } from './tasks/hear-health.ts'
import { createRunTask } from './tasks/run-task-action.ts'
import { createTaskActions, findContainers } from './tasks/task-actions.ts'

/** What stacks make of it. */
export interface Clusters {
  /** @throws AwsError where it is there */
  add(name: string): void
  /** @throws AwsError where something runs in it */
  remove(name: string): void
}

/** The ECS of a fake account, whose tasks are real containers. */
export interface Ecs extends FakeService {
  containers: Containers
  clusters: Clusters
  /** Whether a task stands in it that is not STOPPED. */
  usesSecurityGroup(id: string): boolean
  /** Ends what runs, and removes its containers and volumes; the network is its owner's. */
  close(): Promise<void>
}

export interface EcsOptions extends EcsLinks {
  /** No page of a listing is longer, whatever is asked for: short ones show who asks on. 10 unless given. */
  pageSize?: number
}

/** Not modelled: security groups, task metadata, credentials of other tasks than a daemon's, new deployments of a service, EC2 capacity. */
export function createEcs({ pageSize = 10, ...links }: EcsOptions): Ecs {
  const state: EcsState = {
    ...links,
    docker: connectToDocker(),
    clusters: new Set(),
    inactiveClusters: new Set(),
    definitions: new Map(),
    revisions: new Map(),
    services: new Map(),
    tasks: new Map(),
    bell: createBell(),
    ending: new AbortController(),
    work: new Set(),
    pageSize,
    isListening: () => listening(),
  }
  const listening = hearHealth(state)
  const actions: Record<string, Action> = {
    ...createDefinitionActions(state),
    ...createServiceActions(state),
    ...createTaskActions(state),
    ...createTagActions(state),
    DescribeClusters: async (request: sdk.DescribeClustersRequest) =>
      await Promise.resolve(describeClusters(state, request)),
    RunTask: createRunTask(state),
  }
  return {
    scope: 'ecs',
    sdk,
    actions: Object.fromEntries(
      Object.entries(actions).map(([name, action]) => [name, afterForgetting(state, action)]),
    ),
    containers: findContainers(state),
    clusters: clustersOf(state),
    usesSecurityGroup: (id) =>
      [...state.tasks.values()].some(
        (task) => task.lastStatus !== 'STOPPED' && task.securityGroups.includes(id),
      ),
    async close() {
      state.ending.abort(new Error('the fake account is closed'))
      await Promise.all(state.work)
      await removeTaskObjects(state.docker, state.account.run)
    },
  }
}

function afterForgetting(state: EcsState, action: Action): Action {
  return async (input, call) => {
    forgetDeletedDefinitions(state)
    return await action(input, call)
  }
}

function clustersOf({ clusters, inactiveClusters, services, tasks }: EcsState): Clusters {
  return {
    add(name) {
      if (clusters.has(name)) throw new AwsError('InvalidParameterException', `there is a cluster ${name}`)
      clusters.add(name)
      inactiveClusters.delete(name)
    },
    remove(name) {
      // D: DeleteCluster. There is one cluster here, so all that runs is in it.
      if ([...services.values()].some(({ status }) => status !== 'INACTIVE'))
        throw new AwsError(
          'ClusterContainsServicesException',
          'The Cluster cannot be deleted while Services are active.',
        )
      if ([...tasks.values()].some(({ lastStatus }) => lastStatus !== 'STOPPED'))
        throw new AwsError(
          'ClusterContainsTasksException',
          'The Cluster cannot be deleted while Tasks are active.',
        )
      clusters.delete(name)
      inactiveClusters.add(name)
    },
  }
}

function describeClusters(state: EcsState, { clusters = ['default'] }: sdk.DescribeClustersRequest): object {
  const names = clusters.map(nameOf)
  const arnOf = (name: string) => ecsArn(state, `cluster/${name}`)
  // D: DeleteCluster: one that was deleted may be told for a while yet.
  const statusOf = (name: string) =>
    state.clusters.has(name) ? 'ACTIVE' : state.inactiveClusters.has(name) ? 'INACTIVE' : null
  return {
    clusters: names.flatMap((clusterName) => {
      const status = statusOf(clusterName)
      return status === null ? [] : [{ clusterName, clusterArn: arnOf(clusterName), status }]
    }),
    failures: names
      .filter((name) => statusOf(name) === null)
      .map((name) => ({ arn: arnOf(name), reason: 'MISSING' })),
  }
}
