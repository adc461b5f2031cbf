import type { CloudFormation, Stack } from '@aws-sdk/client-cloudformation'
import type { Control } from '../domain/control.ts'
import { RackError } from '../domain/error.ts'
import { until } from '../lib/poll.ts'
import { shortHash } from '../lib/short-hash.ts'
import { isAwsError } from './errors.ts'

export interface StackOptions {
  stacks: CloudFormation
  /** How often a stack is asked how far it is, ms. */
  intervalMs: number
}

export interface WantedStack {
  name: string
  template: object
  tags?: { Key: string; Value: string }[]
}

/** What a change of a stack may take. */
const stackDeadlineMs = 600_000

/**
 * Brings a stack to a template by a change set, where it is not so already; gives its outputs. Safe to repeat.
 * @throws engine-failed with the resource that failed and its reason
 */
export async function ensureStack(
  options: StackOptions,
  wanted: WantedStack,
  control: Pick<Control, 'signal'>,
): Promise<Record<string, string>> {
  const text = JSON.stringify(wanted.template)
  const mark = shortHash(text)
  const found = await settledStack(options, wanted.name, control)
  const isWhole = found !== null && /^(CREATE|UPDATE)_COMPLETE$/.test(found.StackStatus ?? '')
  if (found && isWhole && markOf(found) === mark) return outputsOf(found)
  const isNew = found === null || /^(ROLLBACK_|DELETE_FAILED)/.test(found.StackStatus ?? '')
  // Neither of them can be changed any more.
  if (found && isNew) await removeStack(options, wanted.name, control)
  if (await changeStack(options, { ...wanted, text, mark, isNew }, control)) {
    const changed = await settledStack(options, wanted.name, control)
    if (changed && /^(CREATE|UPDATE)_COMPLETE$/.test(changed.StackStatus ?? '')) return outputsOf(changed)
    throw await stackFailed(options, wanted.name, changed, control)
  }
  return outputsOf((await describeStack(options, wanted.name, control))!)
}

const markTag = 'rack:template'

const markOf = ({ Tags = [] }: Stack) => Tags.find(({ Key }) => Key === markTag)?.Value

function outputsOf({ Outputs = [] }: Stack): Record<string, string> {
  return Object.fromEntries(Outputs.map(({ OutputKey = '', OutputValue = '' }) => [OutputKey, OutputValue]))
}

interface StackChange extends WantedStack {
  text: string
  mark: string
  isNew: boolean
}

/** False where there is nothing to change. */
async function changeStack(
  { stacks, intervalMs }: StackOptions,
  { name, text, mark, tags = [], isNew }: StackChange,
  { signal }: Pick<Control, 'signal'>,
): Promise<boolean> {
  const abort = { abortSignal: signal }
  const set = { StackName: name, ChangeSetName: `c${mark}` }
  await forgetChangeSet(stacks, set, signal)
  await stacks.createChangeSet(
    {
      ...set,
      ChangeSetType: isNew ? 'CREATE' : 'UPDATE',
      TemplateBody: text,
      Capabilities: ['CAPABILITY_NAMED_IAM'],
      Tags: [...tags, { Key: markTag, Value: mark }],
    },
    abort,
  )
  const ready = await until(
    async () => {
      const made = await stacks.describeChangeSet(set, abort)
      return made.Status === 'CREATE_COMPLETE' || made.Status === 'FAILED' ? made : null
    },
    { intervalMs, deadlineMs: stackDeadlineMs, what: `the change set of ${name}`, signal },
  )
  if (ready.Status === 'FAILED') {
    if (/No updates|didn't contain changes/.test(ready.StatusReason ?? '')) return false
    throw new RackError('engine-failed', `the stack ${name} cannot be changed: ${ready.StatusReason}`)
  }
  await stacks.executeChangeSet(set, abort)
  return true
}

/** One of a dead daemon may be half made, or of an earlier time; mostly there is none. */
async function forgetChangeSet(
  stacks: CloudFormation,
  set: { StackName: string; ChangeSetName: string },
  abortSignal: AbortSignal,
): Promise<void> {
  try {
    await stacks.deleteChangeSet(set, { abortSignal })
  } catch (error) {
    if (!isAwsError(error, 'ValidationError', 'ChangeSetNotFoundException')) throw error
  }
}

async function describeStack(
  { stacks }: StackOptions,
  name: string,
  { signal }: Pick<Control, 'signal'>,
): Promise<Stack | null> {
  try {
    const { Stacks = [] } = await stacks.describeStacks({ StackName: name }, { abortSignal: signal })
    const [stack] = Stacks
    return !stack || stack.StackStatus === 'DELETE_COMPLETE' || stack.StackStatus === 'REVIEW_IN_PROGRESS'
      ? null
      : stack
  } catch (error) {
    // AWS says so of a stack that is not there.
    if (isAwsError(error, 'ValidationError', 'StackNotFoundException')) return null
    throw error
  }
}

/** As it is when nothing of it changes any more; null where there is none. */
async function settledStack(
  options: StackOptions,
  name: string,
  control: Pick<Control, 'signal'>,
): Promise<Stack | null> {
  const look = async () => {
    const stack = await describeStack(options, name, control)
    return stack?.StackStatus?.endsWith('_IN_PROGRESS') ? null : { stack }
  }
  const { intervalMs } = options
  const waiting = {
    intervalMs,
    deadlineMs: stackDeadlineMs,
    what: `the stack ${name}`,
    signal: control.signal,
  }
  return (await until(look, waiting)).stack
}

/** Deletes a stack and waits for its end; no harm where there is none. */
export async function removeStack(
  options: StackOptions,
  name: string,
  control: Pick<Control, 'signal'>,
): Promise<void> {
  if ((await describeStack(options, name, control)) === null) return
  await options.stacks.deleteStack({ StackName: name }, { abortSignal: control.signal })
  const left = await settledStack(options, name, control)
  if (left) throw await stackFailed(options, name, left, control)
}

async function stackFailed(
  { stacks }: StackOptions,
  name: string,
  stack: Stack | null,
  { signal }: Pick<Control, 'signal'>,
): Promise<RackError> {
  const { StackEvents = [] } = await stacks.describeStackEvents({ StackName: name }, { abortSignal: signal })
  // Newest first: what failed first is what the others fell over.
  const failed = StackEvents.findLast(({ ResourceStatus }) => ResourceStatus?.endsWith('_FAILED'))
  const why = failed
    ? `${failed.LogicalResourceId}: ${failed.ResourceStatusReason}`
    : (stack?.StackStatusReason ?? stack?.StackStatus ?? 'it is gone')
  return new RackError('engine-failed', `the stack ${name} was not changed: ${why}`)
}
