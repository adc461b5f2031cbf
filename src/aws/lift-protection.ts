import type { Control } from '../domain/control.ts'
import type { AwsClients } from './clients.ts'
import { isAwsError } from './errors.ts'
import { findResource, type StackResource } from './stack-resource.ts'

/**
 * Lets a database of a stack be deleted, in whatever state both are; no harm where there is none. Not by the stack: one
 * whose removal somebody has tried by hand takes no change any more.
 */
export async function liftProtection(
  { stacks, databases, ...named }: Pick<AwsClients, 'stacks' | 'databases'> & StackResource,
  control: Pick<Control, 'signal'>,
): Promise<void> {
  const instance = await findResource(stacks, named, control)
  if (instance === null) return
  const input = { DBInstanceIdentifier: instance.id, DeletionProtection: false, ApplyImmediately: true }
  try {
    await databases.modifyDBInstance(input, { abortSignal: control.signal })
  } catch (error) {
    // Somebody has deleted it by hand.
    if (!isAwsError(error, 'DBInstanceNotFoundFault', 'DBInstanceNotFound')) throw error
  }
}
