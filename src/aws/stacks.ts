import { randomUUID } from 'node:crypto'
import type { Stack } from '@aws-sdk/client-cloudformation'
import { RackError } from '../domain/error.ts'
import { shortHash } from '../lib/short-hash.ts'
import { forgetChangeSet, makeChangeSet, type StackChange } from './change-sets.ts'
import { keptResources, type KeptResource } from './stack-events.ts'
import {
  changedStack,
  describeStack,
  isBeyondChange,
  isWhole,
  outputsOf,
  removableStack,
  removedStack,
  settledStack,
  stackFailed,
} from './stack-state.ts'
import type { StackControl, StackOptions } from './stack-options.ts'

export interface WantedStack {
  name: string
  template: object
  tags?: { Key: string; Value: string }[]
  parameters?: Record<string, string>
  /** Looks at what would change before it does; what it throws leaves the stack as it is. */
  judge?: (changes: StackChange[]) => void
  /** Hears that this call, and nobody else's, has begun to make the stack. */
  onCreate?: () => void
  /**
   * Called before one is made where there is none, or one that can only be removed, which is given; what it throws leaves
   * all as it is.
   */
  judgeNew?: (found: Stack | null) => Promise<void>
  /** What of a stack that can only be removed would keep it from going, let go of. */
  free?: () => Promise<void>
}

/** What a stack would become. */
export interface StackPlan {
  name: string
  isNew: boolean
  changes: StackChange[]
}

/**
 * Brings a stack to a template by a change set, where it is not so already; gives its outputs. Safe to repeat, also
 * after the death of whoever began: what is under way is waited for first. The end of the signal ends the wait alone. One
 * that can only be removed is, and made anew.
 * @throws engine-failed with the resource that failed and its reason; with the detail `isUnchanged` where it was rolled back
 * @throws timeout where it takes longer than the options let it; the account goes on
 */
export async function ensureStack(
  options: StackOptions,
  wanted: WantedStack,
  control: StackControl,
): Promise<Record<string, string>> {
  const { name, judge, onCreate } = wanted
  const found = await settledStack(options, name, control)
  if (isWhole(found) && markOf(found) === markFor(wanted)) return outputsOf(found)
  const before = found && isBeyondChange(found) ? null : found
  if (!before) await wanted.judgeNew?.(found)
  if (found && !before) {
    if (judge) judge(await removalsOf(options, found, control))
    await wanted.free?.()
    await removeFound(options, found, control)
  }
  const changes = await makeChangeSet(options, setFor(wanted, before), control)
  if (changes === null) return outputsOf((await describeStack(options, name, control))!)
  judge?.(changes)
  const set = { StackName: name, ChangeSetName: setName(wanted) }
  const order = { ...set, ClientRequestToken: randomUUID() }
  await options.stacks.executeChangeSet(order, { abortSignal: control.signal })
  if (!before) onCreate?.()
  const changed = await changedStack(options, { name, before }, control)
  if (isWhole(changed)) return outputsOf(changed)
  if (changed) throw await stackFailed(options, changed, 'was not changed', control)
  throw new RackError('engine-failed', `the stack ${name} is gone: somebody has removed it`)
}

/** What `ensureStack` would change; nothing is. A stack of which nothing can be used is as good as none. */
export async function planStack(
  options: StackOptions,
  wanted: WantedStack,
  control: StackControl,
): Promise<StackPlan> {
  const { name } = wanted
  const found = await settledStack(options, name, control)
  if (!found || isBeyondChange(found)) {
    const removals = found ? await removalsOf(options, found, control) : []
    return { name, isNew: true, changes: [...removals, ...additions(wanted.template)] }
  }
  const changes = (await makeChangeSet(options, setFor(wanted, found), control)) ?? []
  await forgetChangeSet(options, { StackName: name, ChangeSetName: setName(wanted) }, control)
  return { name, isNew: false, changes }
}

/** Deletes a stack and waits for its end; gives what it left on purpose. No harm where there is none. */
export async function removeStack(
  options: StackOptions,
  name: string,
  control: StackControl,
): Promise<KeptResource[]> {
  const found = await removableStack(options, name, control)
  return found ? await removeFound(options, found, control) : []
}

async function removeFound(
  options: StackOptions,
  found: Stack,
  control: StackControl,
): Promise<KeptResource[]> {
  const { role } = options
  await options.stacks.deleteStack(
    { StackName: found.StackName, ...(role !== undefined && { RoleARN: role }) },
    { abortSignal: control.signal },
  )
  const left = await removedStack(options, found, control)
  if (left) throw await stackFailed(options, left, 'was not removed', control)
  return await keptResources(options, found.StackId!, control)
}

/** What goes with a stack whose removal got stuck: it had been whole. One that never came to be has nothing to lose. */
async function removalsOf(
  { stacks }: StackOptions,
  { StackId, StackStatus }: Stack,
  { signal }: StackControl,
): Promise<StackChange[]> {
  if (StackStatus !== 'DELETE_FAILED') return []
  const found: StackChange[] = []
  let token: string | undefined
  do {
    const input = { StackName: StackId!, ...(token && { NextToken: token }) }
    const page = await stacks.listStackResources(input, { abortSignal: signal })
    for (const {
      LogicalResourceId: resource = '',
      ResourceType: type = '',
      ResourceStatus,
    } of page.StackResourceSummaries ?? [])
      if (!/^DELETE_(COMPLETE|SKIPPED)$/.test(ResourceStatus ?? ''))
        found.push({ action: 'Remove', resource, type })
    token = page.NextToken
  } while (token)
  return found
}

const additions = (template: object): StackChange[] =>
  Object.entries((template as { Resources: Record<string, { Type: string }> }).Resources).map(
    ([resource, { Type: type }]) => ({ action: 'Add', resource, type }),
  )

/** The output that says by which text a stack stands. As a tag it would be on each of its resources, and change them all. */
const markName = 'TemplateMark'

const markOf = (stack: Stack) => outputsOf(stack)[markName]

function markFor({ template, parameters = {} }: WantedStack): string {
  const given = Object.keys(parameters).length > 0 ? JSON.stringify(parameters) : ''
  return shortHash(JSON.stringify(template) + given)
}

const setName = (wanted: WantedStack) => `c${markFor(wanted)}`

function setFor(wanted: WantedStack, before: Stack | null) {
  const { name, template, parameters = {}, tags = [] } = wanted
  return {
    stack: name,
    name: setName(wanted),
    isNew: before === null,
    template: JSON.stringify(marked(template, markFor(wanted))),
    parameters,
    tags,
  }
}

function marked(template: object, mark: string): object {
  const { Outputs } = template as { Outputs?: object }
  return { ...template, Outputs: { ...Outputs, [markName]: { Value: mark } } }
}
