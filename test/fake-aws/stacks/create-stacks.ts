import * as sdk from '@aws-sdk/client-cloudformation'
import { AccountClosed } from '../clock.ts'
import { AwsError, type FakeService } from '../fake-service.ts'
import { assertModelled, NotModelled } from '../modelled.ts'
import { paged } from '../paging.ts'
import { assertTemplate, type ChangeSet, changeSetId, parametersOf, settleChangeSet } from './change-sets.ts'
import { described, describedSet, summary } from './described.ts'
import { createInventory, type Inventory } from './models/model.ts'
import { createModels, type ResourceLinks } from './resources.ts'
import { continueRollback, createStack, deleteStack, type StackRunner, updateStack } from './run-stack.ts'
import { loadSpecification } from './specification.ts'
import { Stack } from './stack.ts'
import { invalid, parseTemplate, type Template } from './template.ts'

/** Fewer than AWS gives, so that pages are met. */
const mostOnPage = 20

export interface StackLinks extends ResourceLinks {
  /** What lies in a bucket, for templates by address. */
  readObject(bucket: string, key: string): Uint8Array
  /** What a secret holds, for templates that refer to it. @throws AwsError */
  readSecret(arn: string): string
}

export interface FakeStacks {
  service: FakeService
  inventory: Inventory
  /** The next change of a resource fails for this reason. */
  failNext(stack: string, resource: string, reason: string): void
  /** The next rollback of a change of a resource gets stuck for this reason. */
  stickNext(stack: string, resource: string, reason: string): void
}

class Stacks {
  readonly #links: StackLinks
  readonly #runner: StackRunner
  readonly #stacks: Stack[] = []
  #sets: ChangeSet[] = []
  /** Of what was begun. */
  readonly #tokens = new Set<string>()

  constructor(links: StackLinks, runner: StackRunner) {
    this.#links = links
    this.#runner = runner
  }

  /** What goes on after an answer; nobody waits for it. */
  #start(work: Promise<void>): void {
    work.catch((error: unknown) => {
      if (!(error instanceof AccountClosed)) this.#links.account.onTrouble(error)
    })
  }

  /** By name only while it is there, by id also when it is gone (D: DescribeStacks). */
  find(nameOrId: string | undefined): Stack | undefined {
    return this.#stacks.find((stack) => stack.id === nameOrId || (stack.name === nameOrId && !stack.isGone))
  }

  get(nameOrId: string | undefined): Stack {
    const stack = this.find(nameOrId)
    if (!stack) throw invalid(`Stack with id ${nameOrId} does not exist`)
    return stack
  }

  createChangeSet(input: sdk.CreateChangeSetInput): sdk.CreateChangeSetOutput {
    const known = [
      'StackName',
      'TemplateBody',
      'TemplateURL',
      'Parameters',
      'Capabilities',
      'RoleARN',
      'Tags',
      'ChangeSetName',
      'ClientToken',
      'Description',
      'ChangeSetType',
    ]
    assertModelled(input, known, 'CreateChangeSet')
    const { StackName: stackName = '', ChangeSetName: name = '', ChangeSetType: type = 'UPDATE' } = input
    if (type !== 'CREATE' && type !== 'UPDATE') throw new NotModelled(`a change set of type ${type}`)
    if (!/^[a-zA-Z][a-zA-Z0-9-]{0,127}$/.test(name))
      throw invalid(`Value '${name}' at 'changeSetName' failed to satisfy constraint`)
    const again = this.#sets.find((set) => set.name === name && set.stack.name === stackName)
    if (again?.input.ClientToken !== undefined && again.input.ClientToken === input.ClientToken)
      return { Id: again.id, StackId: again.stack.id }
    if (again) throw new AwsError('AlreadyExistsException', `ChangeSet ${name} already exists`)
    this.#assertRole(input.RoleARN)
    const template = this.#template(input)
    assertTemplate(this.#runner, template, input.Capabilities ?? [])
    const old = this.find(stackName)
    const parameters = parametersOf(template, input, old?.parameters ?? {})
    const stack = this.#stackFor(stackName, type)
    const set: ChangeSet = {
      id: changeSetId(stack, name),
      name,
      stack,
      type,
      template,
      parameters,
      input,
      status: 'CREATE_PENDING',
      reason: undefined,
      changes: [],
      createdAt: new Date(this.#runner.clock.now()),
    }
    this.#sets.push(set)
    this.#start(settleChangeSet(this.#runner, set))
    return { Id: set.id, StackId: stack.id }
  }

  /** D: a role that is not there, or that CloudFormation may not take on. */
  #assertRole(arn: string | undefined): void {
    if (arn === undefined || this.#runner.inventory.roles.has(arn)) return
    throw invalid(`Role ${arn} is invalid or cannot be assumed`)
  }

  #template({ TemplateBody: body, TemplateURL: url }: sdk.CreateChangeSetInput): Template {
    if ((body === undefined) === (url === undefined))
      throw invalid('Either Template URL or Template Body must be specified.')
    if (body !== undefined) return parseTemplate(body, true)
    const { hostname, pathname } = new URL(url!)
    const path = decodeURIComponent(pathname.slice(1))
    // `https://BUCKET.s3.REGION.amazonaws.com/KEY`, or the bucket first in the path.
    const bucket = /^(.+)\.s3[.-]/.exec(hostname)?.[1]
    const [first = '', ...rest] = path.split('/')
    const bytes = bucket
      ? this.#links.readObject(bucket, path)
      : this.#links.readObject(first, rest.join('/'))
    return parseTemplate(Buffer.from(bytes).toString('utf8'), false)
  }

  #stackFor(name: string, type: 'CREATE' | 'UPDATE'): Stack {
    if (!/^[a-zA-Z][a-zA-Z0-9-]{0,127}$/.test(name) && !name.startsWith('arn:')) {
      throw invalid(
        `1 validation error detected: Value '${name}' at 'stackName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*`,
      )
    }
    const old = this.find(name)
    if (type === 'UPDATE') {
      if (!old) throw invalid(`Stack [${name}] does not exist`)
      const canChange =
        !old.isBusy &&
        /(CREATE|UPDATE|UPDATE_ROLLBACK)_COMPLETE$/.test(old.status) &&
        old.status !== 'ROLLBACK_COMPLETE'
      if (!canChange) throw invalid(`Stack:${old.id} is in ${old.status} state and can not be updated.`)
      return old
    }
    if (old && old.status !== 'REVIEW_IN_PROGRESS') {
      throw invalid(`Stack [${name}] already exists and cannot be created again with the changeSet`)
    }
    const stack = old ?? new Stack(this.#links.account, name)
    if (!old) {
      this.#stacks.push(stack)
      stack.become('REVIEW_IN_PROGRESS', 'User Initiated')
    }
    return stack
  }

  changeSet({
    ChangeSetName: name,
    StackName: stack,
  }: {
    ChangeSetName: string | undefined
    StackName?: string | undefined
  }): ChangeSet {
    const found = this.#sets.find(
      (set) => set.id === name || (set.name === name && [set.stack.name, set.stack.id].includes(stack ?? '')),
    )
    if (!found) throw new AwsError('ChangeSetNotFoundException', `ChangeSet [${name}] does not exist`, 404)
    return found
  }

  execute(input: sdk.ExecuteChangeSetInput): object {
    assertModelled(input, ['ChangeSetName', 'StackName', 'ClientRequestToken'], 'ExecuteChangeSet')
    if (this.#isRepeat(input.ClientRequestToken)) return {}
    const set = this.changeSet(input)
    const { stack, template } = set
    if (set.status !== 'CREATE_COMPLETE') {
      throw new AwsError(
        'InvalidChangeSetStatusException',
        `ChangeSet [${set.id}] cannot be executed in its current status of [${set.status}]`,
      )
    }
    if (stack.isBusy) throw invalid(`Stack:${stack.id} is in ${stack.status} state and can not be updated.`)
    // A set that was carried out takes all others of the stack with it (D: ExecuteChangeSet).
    this.#sets = this.#sets.filter((one) => one.stack !== stack)
    stack.role = set.input.RoleARN ?? stack.role
    Object.assign(stack, {
      parameters: set.parameters,
      tags: set.input.Tags ?? [],
      capabilities: set.input.Capabilities ?? [],
      changeSet: set.id,
    })
    if (set.type === 'UPDATE') stack.updatedAt = new Date(this.#runner.clock.now())
    this.#remember(input.ClientRequestToken)
    this.#start((set.type === 'CREATE' ? createStack : updateStack)(this.#runner, stack, template))
    return {}
  }

  /** What was begun under a token is not begun again (S: the types of the SDK). */
  #isRepeat(token: string | undefined): boolean {
    return token !== undefined && this.#tokens.has(token)
  }

  #remember(token: string | undefined): void {
    if (token !== undefined) this.#tokens.add(token)
  }

  deleteChangeSet(input: sdk.DeleteChangeSetInput): object {
    const found = this.#sets.find((set) => set === this.changeSet(input))
    this.#sets = this.#sets.filter((set) => set !== found)
    return {}
  }

  /** What is not there is deleted too, and a repeat is fine (D: DeleteStack). */
  delete(input: sdk.DeleteStackInput): object {
    assertModelled(input, ['StackName', 'RoleARN', 'ClientRequestToken'], 'DeleteStack')
    const stack = this.find(input.StackName)
    this.#assertRole(input.RoleARN)
    if (!stack || stack.isGone || stack.status === 'DELETE_IN_PROGRESS') return {}
    stack.role = input.RoleARN ?? stack.role
    if (stack.isProtected)
      throw invalid(`Stack [${stack.name}] cannot be deleted while TerminationProtection is enabled`)
    if (stack.isBusy) throw new NotModelled(`DeleteStack in ${stack.status}`)
    this.#sets = this.#sets.filter((set) => set.stack !== stack)
    this.#start(deleteStack(this.#runner, stack))
    return {}
  }

  protect(input: sdk.UpdateTerminationProtectionInput): sdk.UpdateTerminationProtectionOutput {
    const stack = this.find(input.StackName)
    if (!stack) throw invalid(`Stack [${input.StackName}] does not exist`)
    // D: UpdateTerminationProtection: of a stack that is going it is refused.
    if (/^DELETE_(IN_PROGRESS|COMPLETE)$/.test(stack.status))
      throw invalid(`Stack [${stack.name}] is in ${stack.status} state`)
    stack.isProtected = input.EnableTerminationProtection!
    return { StackId: stack.id }
  }

  continueRollback(input: sdk.ContinueUpdateRollbackInput): object {
    assertModelled(input, ['StackName', 'ClientRequestToken', 'ResourcesToSkip'], 'ContinueUpdateRollback')
    if (this.#isRepeat(input.ClientRequestToken)) return {}
    const stack = this.get(input.StackName)
    if (stack.status !== 'UPDATE_ROLLBACK_FAILED')
      throw invalid(`Stack:${stack.id} is in ${stack.status} state and can not continue rollback`)
    const skipped = input.ResourcesToSkip ?? []
    // D: ContinueUpdateRollback: only what has failed in the rollback can be skipped.
    const other = skipped.find((name) => stack.leftToTakeBack.at(-1)?.name !== name)
    if (other !== undefined) throw invalid(`[${other}] is not in UPDATE_FAILED state and can not be skipped`)
    this.#remember(input.ClientRequestToken)
    this.#start(continueRollback(this.#runner, stack, skipped))
    return {}
  }

  resource({
    StackName: name,
    LogicalResourceId: logical = '',
  }: sdk.DescribeStackResourceInput): sdk.DescribeStackResourceOutput {
    const stack = this.get(name)
    const found = stack.resources.get(logical)
    if (!found) throw invalid(`Resource ${logical} does not exist for stack ${stack.name}`)
    const newest = stack.events.findLast((event) => event.LogicalResourceId === logical)
    return {
      StackResourceDetail: {
        StackName: stack.name,
        LogicalResourceId: logical,
        PhysicalResourceId: found.made.physical,
        ResourceType: found.type,
        ResourceStatus: newest!.ResourceStatus!,
        LastUpdatedTimestamp: newest!.Timestamp!,
      },
    }
  }

  /** Those that are gone are not told of here (J: AWS tells of them for ninety days, as gone). */
  resources({
    StackName: name,
    NextToken: token,
  }: sdk.ListStackResourcesInput): sdk.ListStackResourcesOutput {
    const stack = this.get(name)
    const { page, next } = paged([...stack.resources.values()], token, {
      pageSize: mostOnPage,
      key: (each) => each.name,
      error: 'ValidationError',
    })
    const summaries = page.map((each): sdk.StackResourceSummary => {
      const newest = stack.events.findLast((event) => event.LogicalResourceId === each.name)
      return {
        LogicalResourceId: each.name,
        PhysicalResourceId: each.made.physical,
        ResourceType: each.type,
        ResourceStatus: newest!.ResourceStatus,
        LastUpdatedTimestamp: newest!.Timestamp,
      }
    })
    return { StackResourceSummaries: summaries, ...(next && { NextToken: next }) }
  }

  describe({ StackName: name, NextToken: token }: sdk.DescribeStacksInput): sdk.DescribeStacksOutput {
    if (name !== undefined) return { Stacks: [described(this.get(name))] }
    const found = this.#stacks.filter((stack) => !stack.isGone)
    const { page, next } = paged(found, token, {
      pageSize: mostOnPage,
      key: (stack) => stack.name,
      error: 'ValidationError',
    })
    return { Stacks: page.map(described), ...(next && { NextToken: next }) }
  }

  /** Also those that are gone, for ninety days (D: ListStacks). */
  list({ StackStatusFilter: statuses, NextToken: token }: sdk.ListStacksInput): sdk.ListStacksOutput {
    const found = this.#stacks.filter(({ status }) => statuses?.includes(status) ?? true)
    const { page, next } = paged(found, token, {
      pageSize: mostOnPage,
      key: (stack) => stack.id,
      error: 'ValidationError',
    })
    return { StackSummaries: page.map(summary), ...(next && { NextToken: next }) }
  }

  /** Newest first (D: DescribeStackEvents). */
  events({ StackName: name, NextToken: token }: sdk.DescribeStackEventsInput): sdk.DescribeStackEventsOutput {
    const { events } = this.get(name)
    const at = token === undefined ? events.length : Number(token)
    if (!Number.isInteger(at) || at > events.length) throw invalid('the token is not one of ours')
    const from = Math.max(0, at - mostOnPage)
    return { StackEvents: events.slice(from, at).toReversed(), ...(from > 0 && { NextToken: String(from) }) }
  }
}

function actionsOf(stacks: Stacks): FakeService['actions'] {
  return {
    CreateChangeSet: async (input: sdk.CreateChangeSetInput) => stacks.createChangeSet(input),
    DescribeChangeSet: async (input: sdk.DescribeChangeSetInput) => describedSet(stacks.changeSet(input)),
    ExecuteChangeSet: async (input: sdk.ExecuteChangeSetInput) => stacks.execute(input),
    DeleteChangeSet: async (input: sdk.DeleteChangeSetInput) => stacks.deleteChangeSet(input),
    DeleteStack: async (input: sdk.DeleteStackInput) => stacks.delete(input),
    UpdateTerminationProtection: async (input: sdk.UpdateTerminationProtectionInput) => stacks.protect(input),
    ContinueUpdateRollback: async (input: sdk.ContinueUpdateRollbackInput) => stacks.continueRollback(input),
    DescribeStacks: async (input: sdk.DescribeStacksInput) => stacks.describe(input),
    ListStacks: async (input: sdk.ListStacksInput) => {
      assertModelled(input, ['StackStatusFilter', 'NextToken'], 'ListStacks')
      return stacks.list(input)
    },
    DescribeStackEvents: async (input: sdk.DescribeStackEventsInput) => stacks.events(input),
    DescribeStackResource: async (
      input: sdk.DescribeStackResourceInput,
    ): Promise<sdk.DescribeStackResourceOutput> => {
      assertModelled(input, ['StackName', 'LogicalResourceId'], 'DescribeStackResource')
      return stacks.resource(input)
    },
    ListStackResources: async (input: sdk.ListStackResourcesInput) => {
      assertModelled(input, ['StackName', 'NextToken'], 'ListStackResources')
      return stacks.resources(input)
    },
    GetTemplate: async (input: sdk.GetTemplateInput): Promise<sdk.GetTemplateOutput> => {
      assertModelled(input, ['StackName'], 'GetTemplate')
      return { TemplateBody: stacks.get(input.StackName).template?.text }
    },
  }
}

export async function createStacks(links: StackLinks): Promise<FakeStacks> {
  const inventory = createInventory()
  const runner: StackRunner = {
    clock: links.account.clock,
    models: createModels(links, inventory),
    inventory,
    specification: await loadSpecification(),
    readSecret: (arn) => links.readSecret(arn),
    failures: new Map(),
    stuck: new Map(),
  }
  const stacks = new Stacks(links, runner)
  return {
    service: { scope: 'cloudformation', sdk, actions: actionsOf(stacks) },
    inventory,
    failNext: (stack, resource, reason) => addTo(runner.failures, `${stack}/${resource}`, reason),
    stickNext: (stack, resource, reason) => addTo(runner.stuck, `${stack}/${resource}`, reason),
  }
}

function addTo(reasons: Map<string, string[]>, key: string, reason: string): void {
  reasons.set(key, [...(reasons.get(key) ?? []), reason])
}
