import type { Control } from '../domain/control.ts'
import type { AwsClients } from './clients.ts'
import { isAwsError } from './errors.ts'

export interface StackResource {
  stack: string
  /** Its logical name in the stack. */
  resource: string
}

/** What a stack has made by a logical name, in whatever state that is; null for what was never made. */
export async function findResource(
  stacks: AwsClients['stacks'],
  { stack, resource }: StackResource,
  { signal }: Pick<Control, 'signal'>,
): Promise<{ id: string; type: string } | null> {
  const input = { StackName: stack, LogicalResourceId: resource }
  try {
    const found = await stacks.describeStackResource(input, { abortSignal: signal })
    const { PhysicalResourceId: id, ResourceType: type = '' } = found.StackResourceDetail ?? {}
    return id === undefined ? null : { id, type }
  } catch (error) {
    // AWS says so of a resource that is not there.
    if (isAwsError(error, 'ValidationError')) return null
    throw error
  }
}
