import { randomUUID } from 'node:crypto'
import type {
  ChangeSetStatus,
  Change,
  CreateChangeSetInput,
  Replacement,
  ResourceChangeDetail,
} from '@aws-sdk/client-cloudformation'
import { isDeepStrictEqual } from 'node:util'
import { AwsError } from '../fake-service.ts'
import { NotModelled } from '../modelled.ts'
import { changedProperties, type StackRunner } from './run-stack.ts'
import type { Stack } from './stack.ts'
import { dependencies, invalid, resolved, type Template } from './template.ts'

export interface ChangeSet {
  id: string
  name: string
  stack: Stack
  type: 'CREATE' | 'UPDATE'
  template: Template
  parameters: Record<string, string>
  input: CreateChangeSetInput
  status: ChangeSetStatus
  reason: string | undefined
  changes: Change[]
  createdAt: Date
}

/** D: what an empty change set says of itself. */
const noChanges =
  "The submitted information didn't contain changes. Submit different information to create a change set."

/** What a template wants of a stack, before it is compared. @throws AwsError as CreateChangeSet does */
export function assertTemplate(
  { specification, models }: StackRunner,
  { resources }: Template,
  capabilities: string[],
): void {
  const types = [...new Set([...resources.values()].map(({ Type }) => Type))]
  const unknown = types.filter((type) => !specification.isType(type))
  if (unknown.length > 0)
    throw invalid(`Template format error: Unrecognized resource types: [${unknown.join(', ')}]`)
  const missing = types.find((type) => !(type in models))
  if (missing) throw new NotModelled(`the type ${missing}`)
  const roles = [...resources.values()].filter(({ Type }) => Type === 'AWS::IAM::Role')
  const isNamed = roles.some(({ Properties }) => Properties['RoleName'] !== undefined)
  const wanted = isNamed ? 'CAPABILITY_NAMED_IAM' : 'CAPABILITY_IAM'
  if (roles.length > 0 && !capabilities.includes(wanted) && !capabilities.includes('CAPABILITY_NAMED_IAM')) {
    throw new AwsError('InsufficientCapabilitiesException', `Requires capabilities : [${wanted}]`)
  }
}

/** Values of a template's parameters. @throws AwsError */
export function parametersOf(
  { parameters }: Template,
  { Parameters = [] }: CreateChangeSetInput,
  before: Record<string, string>,
): Record<string, string> {
  const given = new Map(
    Parameters.map(({ ParameterKey: key = '', ParameterValue: value, UsePreviousValue: isOld }) => [
      key,
      isOld ? before[key] : value,
    ]),
  )
  const strange = [...given.keys()].filter((key) => !(key in parameters))
  if (strange.length > 0) throw invalid(`Parameters: [${strange.join(', ')}] do not exist in the template`)
  const values = Object.entries(parameters).map(
    ([key, { Default }]) => [key, given.get(key) ?? Default] as const,
  )
  const missing = values.filter(([, value]) => value === undefined).map(([key]) => key)
  if (missing.length > 0) throw invalid(`Parameters: [${missing.join(', ')}] must have values`)
  return Object.fromEntries(values.map(([key, value]) => [key, String(value)]))
}

/** Settles the set when its time has come: what it would change, or that it would change nothing. */
export async function settleChangeSet(runner: StackRunner, set: ChangeSet): Promise<void> {
  await runner.clock.pass(1000)
  set.status = 'CREATE_IN_PROGRESS'
  await runner.clock.pass(2000)
  set.changes = changesOf(runner, set)
  const { stack, template } = set
  const isSame = set.changes.length === 0 && isDeepStrictEqual(stack.template?.outputs, template.outputs)
  const haveTagsChanged = !isDeepStrictEqual(stack.tags, set.input.Tags ?? [])
  set.status = set.type === 'UPDATE' && isSame && !haveTagsChanged ? 'FAILED' : 'CREATE_COMPLETE'
  set.reason = set.status === 'FAILED' ? noChanges : undefined
}

function changesOf(runner: StackRunner, { stack, template, parameters }: ChangeSet): Change[] {
  const changes: Change[] = []
  const add = (change: Change['ResourceChange']) =>
    void changes.push({ Type: 'Resource', ResourceChange: change })
  const values = stack.values(parameters)
  for (const name of inOrder(template)) {
    const { Type, Properties } = template.resources.get(name)!
    const before = stack.resources.get(name)
    if (!before) {
      add({ Action: 'Add', LogicalResourceId: name, ResourceType: Type })
      continue
    }
    const after = asFarAsKnown(Properties, values)
    const changed = before.type === Type ? changedProperties(before.properties, after) : ['Type']
    if (changed.length === 0) continue
    const Details = changed.map((property) => detailOf(runner, Type, property, after[property]))
    const Replacement = before.type === Type ? replacementBy(Details) : 'True'
    // What refers to it knows what it will be when it is there.
    if (Replacement === 'True') values.made.delete(name)
    const about = { LogicalResourceId: name, PhysicalResourceId: before.made.physical, ResourceType: Type }
    add({ ...about, Action: 'Modify', Replacement, Scope: ['Properties'], Details })
  }
  for (const { name, type, made } of stack.resources.values()) {
    const about = { LogicalResourceId: name, PhysicalResourceId: made.physical, ResourceType: type }
    if (!template.resources.has(name)) add({ ...about, Action: 'Remove' })
  }
  return changes
}

/** Names of resources, each behind those that it refers to. */
function inOrder({ resources }: Template): Iterable<string> {
  const order = new Set<string>()
  const visit = (name: string) => {
    if (order.has(name)) return
    for (const other of dependencies(resources, name)) visit(other)
    order.add(name)
  }
  for (const name of resources.keys()) visit(name)
  return order
}

function detailOf(
  { specification }: StackRunner,
  type: string,
  Name: string,
  after: unknown,
): ResourceChangeDetail {
  const isKnown = typeof after !== 'symbol'
  return {
    Target: { Attribute: 'Properties', Name, RequiresRecreation: specification.recreation(type, Name) },
    Evaluation: isKnown ? 'Static' : 'Dynamic',
    ChangeSource: isKnown ? 'DirectModification' : 'ResourceReference',
  }
}

/** D: ResourceChange: that of the most impact counts, and what is not known yet may be as it was. */
function replacementBy(details: ResourceChangeDetail[]): Replacement {
  const asks = (each: ResourceChangeDetail) => each.Target?.RequiresRecreation
  if (details.some((each) => asks(each) === 'Always' && each.Evaluation === 'Static')) return 'True'
  return details.some((each) => asks(each) !== 'Never') ? 'Conditional' : 'False'
}

/** Properties that refer to what the change itself will make differ from what there is. */
function asFarAsKnown(
  properties: Record<string, unknown>,
  values: Parameters<typeof resolved>[1],
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(properties).map(([name, value]) => {
      try {
        return [name, resolved(value, values)]
      } catch (error) {
        if (error instanceof AwsError) return [name, Symbol('known after the change')]
        throw error
      }
    }),
  )
}

export function changeSetId(stack: Stack, name: string): string {
  return `${stack.id.replace(/:stack\/.*/, '')}:changeSet/${name}/${randomUUID()}`
}
