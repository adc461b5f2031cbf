import { randomUUID } from 'node:crypto'
import type { Stack, StackEvent } from '@aws-sdk/client-cloudformation'
import { RackError } from '../domain/error.ts'
import { isAwsError } from './errors.ts'
import { createEventTeller, failuresOf } from './stack-events.ts'
import { usualDeadlineMs, type StackControl, type StackOptions } from './stack-options.ts'
import { untilOver } from './until-over.ts'

export const isWhole = (stack: Stack | null): stack is Stack =>
  /^(CREATE|UPDATE)_COMPLETE$/.test(stack?.StackStatus ?? '')

/** All that can be done with such a stack is to remove it. */
export const isBeyondChange = ({ StackStatus }: Stack): boolean =>
  /^(ROLLBACK_|DELETE_FAILED|CREATE_FAILED)/.test(StackStatus ?? '')

export const isBusy = (stack: Stack | null) => stack?.StackStatus?.endsWith('_IN_PROGRESS') === true

export function outputsOf({ Outputs = [] }: Stack): Record<string, string> {
  return Object.fromEntries(Outputs.map(({ OutputKey = '', OutputValue = '' }) => [OutputKey, OutputValue]))
}

/** By name, or by id where it may be gone. Null where there is none, also where there is but a change set for one. */
export async function describeStack(
  options: StackOptions,
  nameOrId: string,
  control: StackControl,
): Promise<Stack | null> {
  const stack = await describeAny(options, nameOrId, control)
  return stack?.StackStatus === 'REVIEW_IN_PROGRESS' ? null : stack
}

async function describeAny(
  { stacks }: StackOptions,
  nameOrId: string,
  { signal }: StackControl,
): Promise<Stack | null> {
  try {
    const { Stacks = [] } = await stacks.describeStacks({ StackName: nameOrId }, { abortSignal: signal })
    const [stack] = Stacks
    return !stack || stack.StackStatus === 'DELETE_COMPLETE' ? null : stack
  } catch (error) {
    // AWS says so of a stack that is not there.
    if (isAwsError(error, 'ValidationError', 'StackNotFoundException')) return null
    throw error
  }
}

/** What can be removed under a name once nothing of it changes any more, be it a change set for a stack that never was. */
export async function removableStack(
  options: StackOptions,
  name: string,
  control: StackControl,
): Promise<Stack | null> {
  await awaitStack(options, { name, isOver: (now) => !isBusy(now) }, control)
  return await describeAny(options, name, control)
}

/**
 * As it is when nothing of it changes any more; null where there is none. What somebody else has begun, such as an
 * installer that was killed, is waited for. A rollback that got stuck is continued once, and once more without what it
 * is stuck on where the options let that be skipped.
 * @throws engine-failed with the resource that keeps it stuck
 */
export async function settledStack(
  options: StackOptions,
  name: string,
  control: StackControl,
): Promise<Stack | null> {
  const stack = await awaitStack(options, { name, isOver: (now) => !isBusy(now) }, control)
  if (stack?.StackStatus !== 'UPDATE_ROLLBACK_FAILED') return stack
  let left = await continuedRollback(options, name, [], control)
  if (left?.StackStatus !== 'UPDATE_ROLLBACK_FAILED') return left
  // What the newest attempt met is what keeps it.
  let failure = (await failuresOf(options, left.StackId!, control)).at(-1)
  const stuckOn = failure?.LogicalResourceId ?? ''
  if (options.mayBeSkipped?.includes(stuckOn)) {
    left = await continuedRollback(options, name, [stuckOn], control)
    if (left?.StackStatus !== 'UPDATE_ROLLBACK_FAILED') return left
    failure = (await failuresOf(options, left.StackId!, control)).at(-1)
  }
  throw failed(left, 'can be brought neither forward nor back', failure)
}

async function continuedRollback(
  options: StackOptions,
  name: string,
  skipped: string[],
  control: StackControl,
): Promise<Stack | null> {
  const order = {
    StackName: name,
    ClientRequestToken: randomUUID(),
    ...(skipped.length > 0 && { ResourcesToSkip: skipped }),
  }
  await options.stacks.continueUpdateRollback(order, { abortSignal: control.signal })
  return await awaitStack(options, { name, isOver: (now) => !isBusy(now), isOurs: true }, control)
}

/** As it is when a change that was begun is over. */
export async function changedStack(
  options: StackOptions,
  { name, before }: { name: string; before: Stack | null },
  control: StackControl,
): Promise<Stack | null> {
  // The account may not show the change at once.
  const isShown = (now: Stack | null) =>
    now !== null && (!before || now.LastUpdatedTime?.getTime() !== before.LastUpdatedTime?.getTime())
  const isOver = (now: Stack | null) => isShown(now) && !isBusy(now)
  await awaitStack(options, { name, isOver, isOurs: true }, control)
  return await settledStack(options, name, control)
}

/** As it is when its removal is over: null, or what is left of it. */
export async function removedStack(
  options: StackOptions,
  stack: Stack,
  control: StackControl,
): Promise<Stack | null> {
  const isOver = (now: Stack | null) => now === null || now.StackStatus === 'DELETE_FAILED'
  return await awaitStack(options, { name: stack.StackId!, isOver, isOurs: true }, control)
}

interface Awaited {
  /** Or its id. */
  name: string
  isOver: (stack: Stack | null) => boolean
  /** Whether what happened is told though it was over at the first look. */
  isOurs?: boolean
}

async function awaitStack(
  options: StackOptions,
  { name, isOver, isOurs = false }: Awaited,
  control: StackControl,
): Promise<Stack | null> {
  const { intervalMs, deadlineMs = usualDeadlineMs } = options
  const tellEvents = createEventTeller(options, name)
  let hasToTell = isOurs
  const look = async () => {
    const stack = await describeStack(options, name, control)
    const isDone = isOver(stack)
    hasToTell ||= isBusy(stack)
    // One that is gone by its name is told of by its id alone.
    if (hasToTell && (stack !== null || name.startsWith('arn:'))) await tellEvents(control)
    return isDone ? { stack } : null
  }
  const waiting = { intervalMs, deadlineMs, what: `the stack ${name}`, signal: control.signal }
  return (await untilOver(look, waiting)).stack
}

/** Why a change failed: what failed first in it, since the others fell over that. */
export async function stackFailed(
  options: StackOptions,
  stack: Stack,
  became: string,
  control: StackControl,
): Promise<RackError> {
  const [first] = await failuresOf(options, stack.StackId!, control)
  return failed(stack, became, first)
}

function failed(stack: Stack, became: string, failure: StackEvent | undefined): RackError {
  const why = failure
    ? `${failure.LogicalResourceId}: ${failure.ResourceStatusReason}`
    : (stack.StackStatusReason ?? stack.StackStatus)
  const isUnchanged = stack.StackStatus === 'UPDATE_ROLLBACK_COMPLETE'
  return new RackError('engine-failed', `the stack ${stack.StackName} ${became}: ${why}`, {
    ...(isUnchanged && { details: { isUnchanged } }),
  })
}
