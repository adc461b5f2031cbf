import { isDeepStrictEqual } from 'node:util'
import { randomBytes } from 'node:crypto'
import { AccountClosed, type FakeClock } from '../clock.ts'
import { NotModelled } from '../modelled.ts'
import { isRecord } from '../wire/value.ts'
import { nameWithin } from './name-within.ts'
import type { Inventory, ResourceModel } from './models/model.ts'
import type { Specification } from './specification.ts'
import type { Stack, StackResource, TakenBack } from './stack.ts'
import { dependencies, type Made, resolved, type Template } from './template.ts'

export interface StackRunner {
  clock: FakeClock
  models: Record<string, ResourceModel>
  inventory: Inventory
  specification: Specification
  /** What the secret of an ARN holds. @throws AwsError */
  readSecret: (arn: string) => string
  /** Of `STACK/RESOURCE`: why its next change fails. */
  failures: Map<string, string[]>
  /** Of `STACK/RESOURCE`: why taking a change of it back fails. */
  stuck: Map<string, string[]>
}

/** Makes a stack by a template; a failure takes back what was made (D: ROLLBACK_COMPLETE). */
export async function createStack(runner: StackRunner, stack: Stack, template: Template): Promise<void> {
  stack.become('CREATE_IN_PROGRESS', 'User Initiated')
  const undo: TakenBack[] = []
  try {
    await applyAll(runner, stack, template, undo, [])
    settle(stack, template)
    stack.become('CREATE_COMPLETE')
  } catch (error) {
    stack.become('ROLLBACK_IN_PROGRESS', failedReason(error))
    // Nobody has used them yet (J): no last snapshot is taken.
    const made = [...stack.resources.values()].map((each) => ({ ...each, onDelete: withoutSnapshot(each) }))
    const failed = await removeAll(runner, stack, made.toReversed(), { isCreation: true })
    stack.become(failed.length > 0 ? 'ROLLBACK_FAILED' : 'ROLLBACK_COMPLETE')
  }
}

/** Changes a stack; a failure brings the old template back (D: UPDATE_ROLLBACK_COMPLETE). */
export async function updateStack(runner: StackRunner, stack: Stack, template: Template): Promise<void> {
  stack.become('UPDATE_IN_PROGRESS', 'User Initiated')
  const undo: TakenBack[] = []
  const replaced: StackResource[] = []
  try {
    await applyAll(runner, stack, template, undo, replaced)
    settle(stack, template)
  } catch (error) {
    stack.become('UPDATE_ROLLBACK_IN_PROGRESS', failedReason(error))
    stack.leftToTakeBack = undo
    return await takeBack(runner, stack)
  }
  stack.become('UPDATE_COMPLETE_CLEANUP_IN_PROGRESS')
  const dropped = [...stack.resources.values()].filter(({ name }) => !template.resources.has(name))
  await removeAll(runner, stack, [...replaced, ...dropped.toReversed()])
  stack.become('UPDATE_COMPLETE')
}

export async function deleteStack(runner: StackRunner, stack: Stack): Promise<void> {
  stack.become('DELETE_IN_PROGRESS', 'User Initiated')
  const failed = await removeAll(runner, stack, [...stack.resources.values()].toReversed())
  if (failed.length > 0) {
    stack.become('DELETE_FAILED', `The following resource(s) failed to delete: [${failed.join(', ')}].`)
    return
  }
  stack.deletedAt = new Date(runner.clock.now())
  stack.become('DELETE_COMPLETE')
}

const withoutSnapshot = ({ onDelete }: StackResource) => (onDelete === 'Snapshot' ? 'Delete' : onDelete)

const failedReason = (error: unknown) => `The following resource(s) failed: ${(error as Error).message}`

function settle(stack: Stack, template: Template): void {
  stack.template = template
  stack.settleOutputs(template)
}

/** All resources of a template, each as soon as those that it depends on are there. */
async function applyAll(
  runner: StackRunner,
  stack: Stack,
  template: Template,
  undo: TakenBack[],
  replaced: StackResource[],
): Promise<void> {
  const under = new Map<string, Promise<void>>()
  let hasFailed = false
  const apply = (name: string): Promise<void> => {
    const known = under.get(name)
    if (known) return known
    const work = Promise.all(dependencies(template.resources, name).map(apply)).then(async () => {
      if (hasFailed) throw new Error('Resource creation cancelled')
      await applyOne(runner, stack, template, name, undo, replaced)
    })
    work.catch(() => {
      hasFailed = true
    })
    under.set(name, work)
    return work
  }
  const ends = await Promise.allSettled([...template.resources.keys()].map(apply))
  const failed = ends.find((end) => end.status === 'rejected')
  if (failed) throw failed.reason
}

async function applyOne(
  runner: StackRunner,
  stack: Stack,
  template: Template,
  name: string,
  undo: TakenBack[],
  replaced: StackResource[],
): Promise<void> {
  const { Type: type, Properties, DeletionPolicy, UpdateReplacePolicy } = template.resources.get(name)!
  const before = stack.resources.get(name) ?? null
  const properties = resolved(Properties, stack.values()) as Record<string, unknown>
  if (before && before.type === type && isDeepStrictEqual(before.properties, properties)) return
  const verb = before ? 'UPDATE' : 'CREATE'
  const about = { name, type, physical: before?.made.physical }
  stack.note(about, `${verb}_IN_PROGRESS`)
  try {
    await runner.clock.pass(runner.models[type]!.takesMs)
    const made = await change(runner, stack, { name, type, properties, before })
    runner.inventory.there.add(`${type} ${made.physical}`)
    undo.push({ name, before })
    if (before && made !== before.made) replaced.push({ ...before, onDelete: before.onReplace })
    const policies = { onDelete: DeletionPolicy, onReplace: UpdateReplacePolicy }
    stack.resources.set(name, { name, type, made, properties, ...policies })
    stack.note({ name, type, physical: made.physical }, `${verb}_COMPLETE`)
  } catch (error) {
    // D: a change that has failed may have been made in part, and is taken back with the others.
    if (before?.type === type && !isReplaced(runner, before, properties)) undo.push({ name, before })
    stack.note(about, `${verb}_FAILED`, (error as Error).message)
    throw new Error(`[${name}]`, { cause: error })
  }
}

interface Change {
  name: string
  type: string
  properties: Record<string, unknown>
  before: StackResource | null
}

/** `{{resolve:secretsmanager:ARN:SecretString}}`: read when the resource is made, and never kept (D: "dynamic references"). */
function revealed(value: unknown, readSecret: StackRunner['readSecret']): unknown {
  if (Array.isArray(value)) return value.map((each) => revealed(each, readSecret))
  if (isRecord(value))
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, revealed(each, readSecret)]))
  if (typeof value !== 'string' || !value.includes('{{resolve:')) return value
  const [, arn] = /^\{\{resolve:secretsmanager:(arn:[^}]+):SecretString\}\}$/.exec(value) ?? []
  if (arn === undefined) throw new NotModelled(`the dynamic reference ${value}`)
  return readSecret(arn)
}

async function change(
  { models, specification, failures, readSecret }: StackRunner,
  stack: Stack,
  { name, type, properties, before }: Change,
): Promise<Made> {
  const model = models[type]!
  const problem = specification.problem(type, properties)
  const failure =
    failures.get(`${stack.name}/${name}`)?.shift() ??
    (problem && `Properties validation failed for resource ${name}: ${problem}`)
  if (failure) throw new Error(failure)
  const plain = revealed(properties, readSecret) as typeof properties
  const token = randomBytes(6).toString('hex').toUpperCase()
  const generated = nameWithin(models[type]!.longestName ?? 255, { stack: stack.name, resource: name, token })
  if (!before) return await model.create(plain, generated)
  if (before.type === type && !isReplaced({ specification }, before, properties)) {
    await model.update(before.made, plain)
    return before.made
  }
  const isNamed = model.named !== undefined && properties[model.named] !== undefined
  if (isNamed && before.type === type && properties[model.named!] === before.properties[model.named!]) {
    const why = 'CloudFormation cannot update a stack when a custom-named resource requires replacing.'
    throw new Error(`${why} Rename ${before.made.physical} and update the stack again.`)
  }
  return await model.create(plain, generated)
}

function isReplaced(
  { specification }: Pick<StackRunner, 'specification'>,
  { type, properties: before }: StackResource,
  after: Record<string, unknown>,
): boolean {
  return specification.replaces(type, changedProperties(before, after))
}

export function changedProperties(before: Record<string, unknown>, after: Record<string, unknown>): string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)])
  return [...names].filter((name) => !isDeepStrictEqual(before[name], after[name]))
}

/**
 * Newest first: what was made goes, what was changed is changed back. What fails is left for another time (D); what is
 * skipped stays as it is, and the stack takes it for what it was (D: ContinueUpdateRollback).
 */
async function takeBack(runner: StackRunner, stack: Stack, skipped: readonly string[] = []): Promise<void> {
  const { leftToTakeBack: left } = stack
  for (let last = left.at(-1); last; last = left.at(-1)) {
    const { name, before } = last
    const now = stack.resources.get(name)!
    if (before && skipped.includes(name)) {
      stack.note({ name, type: now.type, physical: now.made.physical }, 'UPDATE_COMPLETE')
      stack.resources.set(name, before)
      left.pop()
      continue
    }
    const why =
      runner.stuck.get(`${stack.name}/${name}`)?.shift() ?? (await reasonOf(bringBack(runner, stack, last)))
    if (why !== null) {
      stack.note({ name, type: now.type, physical: now.made.physical }, 'UPDATE_FAILED', why)
      stack.become('UPDATE_ROLLBACK_FAILED', `The following resource(s) failed to update: [${name}].`)
      return
    }
    if (before) stack.resources.set(name, before)
    left.pop()
  }
  stack.become('UPDATE_ROLLBACK_COMPLETE')
}

async function bringBack(runner: StackRunner, stack: Stack, { name, before }: TakenBack): Promise<void> {
  const now = stack.resources.get(name)!
  if (before && before.made === now.made) await runner.models[now.type]!.update(now.made, before.properties)
  else await removeAll(runner, stack, [now], { isCreation: true })
}

/** Null for what has come to its end. */
async function reasonOf(work: Promise<void>): Promise<string | null> {
  return await work.then(
    () => null,
    (error: unknown) => {
      if (error instanceof AccountClosed) throw error
      return (error as Error).message
    },
  )
}

/** Goes on with a rollback that got stuck (D: ContinueUpdateRollback). */
export async function continueRollback(
  runner: StackRunner,
  stack: Stack,
  skipped: readonly string[],
): Promise<void> {
  stack.become('UPDATE_ROLLBACK_IN_PROGRESS', 'User Initiated')
  await runner.clock.pass(1000)
  await takeBack(runner, stack, skipped)
}

/** Names of those that could not be removed. */
async function removeAll(
  runner: StackRunner,
  stack: Stack,
  resources: StackResource[],
  { isCreation = false } = {},
): Promise<string[]> {
  const failed: string[] = []
  for (const resource of resources) {
    const { name, type, made, properties, onDelete } = resource
    const about = { name, type, physical: made.physical }
    if (onDelete === 'Retain' || (onDelete === 'RetainExceptOnCreate' && !isCreation)) {
      stack.note(about, 'DELETE_SKIPPED')
    } else {
      stack.note(about, 'DELETE_IN_PROGRESS')
      await runner.clock.pass(1000)
      try {
        await runner.models[type]!.delete(made, properties, { snapshot: snapshotName(stack, resource) })
        runner.inventory.there.delete(`${type} ${made.physical}`)
        stack.note(about, 'DELETE_COMPLETE')
      } catch (error) {
        stack.note(about, 'DELETE_FAILED', (error as Error).message)
        failed.push(name)
        continue
      }
    }
    if (stack.resources.get(name)?.made === made) stack.resources.delete(name)
  }
  return failed
}

/** D: CloudFormation names it after the stack and the resource. */
function snapshotName({ name }: Stack, resource: StackResource): string | null {
  if (resource.onDelete !== 'Snapshot') return null
  return `${name}-snapshot-${resource.name}-${randomBytes(6).toString('hex')}`.toLowerCase()
}
