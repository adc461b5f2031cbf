import type { Control } from '../domain/control.ts'
import type { AwsClients } from './clients.ts'
import { isAwsError } from './errors.ts'

export interface StackDatabase extends Pick<AwsClients, 'stacks' | 'databases'> {
  stack: string
  /** Its logical name in the stack. */
  resource: string
}

/**
 * Lets a database of a stack be deleted, in whatever state both are; no harm where there is none. Not by the stack: one
 * whose removal somebody has tried by hand takes no change any more.
 */
export async function liftProtection(
  { stacks, databases, stack, resource }: StackDatabase,
  { signal }: Pick<Control, 'signal'>,
): Promise<void> {
  const instance = await findInstance(stacks, { StackName: stack, LogicalResourceId: resource }, signal)
  if (instance === null) return
  const input = { DBInstanceIdentifier: instance, DeletionProtection: false, ApplyImmediately: true }
  try {
    await databases.modifyDBInstance(input, { abortSignal: signal })
  } catch (error) {
    // Somebody has deleted it by hand.
    if (!isAwsError(error, 'DBInstanceNotFoundFault', 'DBInstanceNotFound')) throw error
  }
}

/** Null for one that was never made. */
async function findInstance(
  stacks: AwsClients['stacks'],
  input: { StackName: string; LogicalResourceId: string },
  abortSignal: AbortSignal,
): Promise<string | null> {
  try {
    const found = await stacks.describeStackResource(input, { abortSignal })
    return found.StackResourceDetail?.PhysicalResourceId ?? null
  } catch (error) {
    // AWS says so of a resource that is not there.
    if (isAwsError(error, 'ValidationError')) return null
    throw error
  }
}
