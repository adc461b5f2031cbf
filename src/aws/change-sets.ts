import { randomUUID } from 'node:crypto'
import type { DescribeChangeSetOutput, ResourceChange } from '@aws-sdk/client-cloudformation'
import { RackError } from '../domain/error.ts'
import { isAwsError } from './errors.ts'
import { usualDeadlineMs, type StackControl, type StackOptions } from './stack-options.ts'
import { untilOver } from './until-over.ts'

/** What a change set would do to one resource. */
export interface StackChange {
  /** `Replace` also where the account will know it only when it does it. */
  action: 'Add' | 'Modify' | 'Remove' | 'Replace'
  /** Of `Replace`: the properties that ask for it, or may. */
  because?: string[]
  /** Its name in the template. */
  resource: string
  /** As CloudFormation calls it: `AWS::S3::Bucket`. */
  type: string
}

export interface ChangeSetInput {
  stack: string
  name: string
  isNew: boolean
  template: string
  parameters: Record<string, string>
  tags: { Key: string; Value: string }[]
}

/** Makes a change set and gives what it would do; null where there is nothing to change. It is not carried out. */
export async function makeChangeSet(
  options: StackOptions,
  input: ChangeSetInput,
  { signal }: StackControl,
): Promise<StackChange[] | null> {
  const { stacks, intervalMs } = options
  const set = { StackName: input.stack, ChangeSetName: input.name }
  await forgetChangeSet(options, set, { signal })
  await stacks.createChangeSet(
    {
      ...set,
      ChangeSetType: input.isNew ? 'CREATE' : 'UPDATE',
      TemplateBody: input.template,
      Capabilities: ['CAPABILITY_NAMED_IAM'],
      Parameters: Object.entries(input.parameters).map(([ParameterKey, ParameterValue]) => ({
        ParameterKey,
        ParameterValue,
      })),
      Tags: input.tags,
      // Of this call: should its answer be lost, the SDK asks again with the same.
      ClientToken: randomUUID(),
      ...(options.role !== undefined && { RoleARN: options.role }),
    },
    { abortSignal: signal },
  )
  const look = async () => {
    const made = await stacks.describeChangeSet(set, { abortSignal: signal })
    return made.Status === 'CREATE_COMPLETE' || made.Status === 'FAILED' ? made : null
  }
  const what = `the change set of ${input.stack}`
  const made = await untilOver(look, { intervalMs, deadlineMs: usualDeadlineMs, what, signal })
  if (made.Status === 'FAILED') {
    // By its text, since there is nothing else to tell it by (D).
    if (/No updates|didn't contain changes/.test(made.StatusReason ?? '')) return null
    throw new RackError('engine-failed', `the stack ${input.stack} cannot be changed: ${made.StatusReason}`, {
      details: { isUnchanged: true },
    })
  }
  return (await allChanges(options, { set, first: made }, { signal })).map(toChange)
}

async function allChanges(
  { stacks }: StackOptions,
  { set, first }: { set: { StackName: string; ChangeSetName: string }; first: DescribeChangeSetOutput },
  { signal }: StackControl,
): Promise<ResourceChange[]> {
  const found = [...(first.Changes ?? [])]
  for (let token = first.NextToken; token;) {
    const page = await stacks.describeChangeSet({ ...set, NextToken: token }, { abortSignal: signal })
    found.push(...(page.Changes ?? []))
    token = page.NextToken
  }
  return found.flatMap(({ ResourceChange: change }) => change ?? [])
}

function toChange(change: ResourceChange): StackChange {
  const { Action, Replacement, LogicalResourceId, ResourceType, Details = [] } = change
  const about = { resource: LogicalResourceId!, type: ResourceType! }
  if (Action !== 'Modify' || Replacement === 'False')
    return { action: Action as StackChange['action'], ...about }
  const because = Details.flatMap(({ Target: { Name, RequiresRecreation } = {} }) =>
    Name === undefined || RequiresRecreation === 'Never' ? [] : Name,
  )
  return { action: 'Replace', ...about, because }
}

/** One of a dead daemon may be half made, or of an earlier time; mostly there is none. */
export async function forgetChangeSet(
  { stacks }: StackOptions,
  set: { StackName: string; ChangeSetName: string },
  { signal }: StackControl,
): Promise<void> {
  try {
    await stacks.deleteChangeSet(set, { abortSignal: signal })
  } catch (error) {
    if (!isAwsError(error, 'ValidationError', 'ChangeSetNotFoundException')) throw error
  }
}
