import type {
  DeleteTaskDefinitionsRequest,
  DeregisterTaskDefinitionRequest,
  DescribeTaskDefinitionRequest,
  ListTaskDefinitionFamiliesRequest,
  ListTaskDefinitionsRequest,
  RegisterTaskDefinitionRequest,
  TaskDefinition,
} from '@aws-sdk/client-ecs'
import type { Action } from '../../fake-service.ts'
import { ecsArn, findDefinition } from '../arns.ts'
import { pageOf } from '../listings.ts'
import { assertOnly, clientError, invalid } from '../refusals.ts'
import type { DefinitionRecord, EcsState } from '../state.ts'
import { checkedTags } from '../tags.ts'
import { checkDefinition } from './check-definition.ts'

/** How long a deleted task definition is told of as DELETE_IN_PROGRESS (J). */
const deletionMs = 10_000
const pages = { most: 100, usual: 100 }

export function createDefinitionActions(state: EcsState): Record<string, Action> {
  return {
    async RegisterTaskDefinition(request: RegisterTaskDefinitionRequest) {
      checkDefinition(request)
      const { definition, tags } = register(state, request)
      return await Promise.resolve({ taskDefinition: definition, tags })
    },

    async DescribeTaskDefinition({ taskDefinition, include = [], ...others }: DescribeTaskDefinitionRequest) {
      assertOnly(others, [], 'DescribeTaskDefinition')
      const found = findDefinition(state, taskDefinition!)
      if (!found) throw clientError('Unable to describe task definition.')
      const tags = include.includes('TAGS') ? found.tags : []
      return await Promise.resolve({ taskDefinition: found.definition, tags })
    },

    async DeregisterTaskDefinition({ taskDefinition }: DeregisterTaskDefinitionRequest) {
      // D: by revision, never by the family alone.
      if (!/:\d+$/.test(taskDefinition!)) throw invalid('Revision is missing.')
      const found = findDefinition(state, taskDefinition!)
      if (!found) throw clientError('The specified task definition does not exist.')
      found.definition.status = 'INACTIVE'
      found.definition.deregisteredAt = new Date(state.account.clock.now())
      return await Promise.resolve({ taskDefinition: found.definition })
    },

    async DeleteTaskDefinitions({ taskDefinitions }: DeleteTaskDefinitionsRequest) {
      return await Promise.resolve(deleteDefinitions(state, taskDefinitions!))
    },

    async ListTaskDefinitions(request: ListTaskDefinitionsRequest) {
      const { familyPrefix, status = 'ACTIVE', sort, nextToken, maxResults, ...others } = request
      assertOnly(others, [], 'ListTaskDefinitions')
      if (sort !== undefined) assertOnly({ sort }, [], 'ListTaskDefinitions')
      const arns = [...state.definitions.values()]
        // D: the full name of a family, whatever the member is called.
        .filter(({ definition }) => familyPrefix === undefined || definition.family === familyPrefix)
        .filter(({ definition }) => definition.status === status)
        .map(({ definition }) => definition.taskDefinitionArn)
      const page = pageOf(arns, pageRequest(nextToken, maxResults), { ...pages, cut: state.pageSize })
      return await Promise.resolve({ taskDefinitionArns: page.names, nextToken: page.nextToken })
    },

    async ListTaskDefinitionFamilies(request: ListTaskDefinitionFamiliesRequest) {
      const { familyPrefix = '', status = 'ACTIVE', nextToken, maxResults, ...others } = request
      assertOnly(others, [], 'ListTaskDefinitionFamilies')
      const families = new Set(
        [...state.definitions.values()]
          // D: a family is ACTIVE as long as one of its revisions is.
          .filter(
            ({ definition }) =>
              status === 'ALL' || (definition.status === 'ACTIVE') === (status === 'ACTIVE'),
          )
          .map(({ definition }) => definition.family!)
          .filter((family) => family.startsWith(familyPrefix)),
      )
      const page = pageOf([...families], pageRequest(nextToken, maxResults), {
        ...pages,
        cut: state.pageSize,
      })
      return await Promise.resolve({ families: page.names, nextToken: page.nextToken })
    },
  }
}

function pageRequest(nextToken: string | undefined, maxResults: number | undefined) {
  return { ...(nextToken !== undefined && { nextToken }), ...(maxResults !== undefined && { maxResults }) }
}

function register(state: EcsState, request: RegisterTaskDefinitionRequest): DefinitionRecord {
  const { tags, ...rest } = request
  const family = request.family!
  const revision = (state.revisions.get(family) ?? 0) + 1
  state.revisions.set(family, revision)
  const taskDefinitionArn = ecsArn(state, `task-definition/${family}:${revision}`)
  const definition: TaskDefinition = {
    ...structuredClone(rest),
    taskDefinitionArn,
    revision,
    status: 'ACTIVE',
    compatibilities: ['EC2', 'FARGATE'],
    registeredAt: new Date(state.account.clock.now()),
  }
  // D: what a definition does not say is filled in.
  definition.containerDefinitions = definition.containerDefinitions!.map((container) => ({
    ...container,
    essential: container.essential ?? true,
    cpu: container.cpu ?? 0,
  }))
  const record = { definition: definition as DefinitionRecord['definition'], tags: checkedTags(tags) }
  state.definitions.set(taskDefinitionArn, record)
  return record
}

/** D: up to 10 at once, deregistered ones only; gone as soon as nothing is made of them any more. */
function deleteDefinitions(state: EcsState, given: string[]): object {
  if (given.length > 10) throw invalid('At most 10 task definitions can be deleted at once.')
  const taskDefinitions: TaskDefinition[] = []
  const failures: { arn: string; reason: string }[] = []
  for (const name of given) {
    const found = findDefinition(state, name)
    if (!found) failures.push({ arn: name, reason: 'The specified task definition was not found.' })
    else if (found.definition.status === 'ACTIVE') {
      const reason =
        'The specified task definition is still in ACTIVE status. Please deregister the target and try again.'
      failures.push({ arn: found.definition.taskDefinitionArn, reason })
    } else {
      found.definition.status = 'DELETE_IN_PROGRESS'
      found.definition.deleteRequestedAt ??= new Date(state.account.clock.now())
      taskDefinitions.push(found.definition)
    }
  }
  return { taskDefinitions, failures }
}

/** Those whose time has come go; asked for at each look. */
export function forgetDeletedDefinitions(state: EcsState): void {
  const now = state.account.clock.now()
  const used = new Set<DefinitionRecord>()
  for (const { definition, status } of state.services.values())
    if (status !== 'INACTIVE') used.add(definition)
  for (const { definition, lastStatus } of state.tasks.values())
    if (lastStatus !== 'STOPPED') used.add(definition)
  for (const [arn, record] of state.definitions) {
    const { status, deleteRequestedAt } = record.definition
    if (status !== 'DELETE_IN_PROGRESS' || used.has(record)) continue
    if (now > deleteRequestedAt!.getTime() + deletionMs) state.definitions.delete(arn)
  }
}
