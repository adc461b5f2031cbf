import type { Stack } from '@aws-sdk/client-cloudformation'
import { RackError } from '../domain/error.ts'

/** Bears the rack's name, on all that is of it. */
export const rackTag = 'rack:name'

/** False for one that another rack has under that name. */
export function isOwnStack(rack: string, stack: Stack): boolean {
  return (holderOf(stack) ?? rack) === rack
}

/** @throws conflict for a stack of another rack */
export function assertOwnStack(rack: string, stack: Stack, hint: string): void {
  if (isOwnStack(rack, stack)) return
  const { StackName } = stack
  throw new RackError('conflict', `the stack ${StackName} is not of the rack ${rack}`, {
    hint,
    details: { stack: StackName, rack: holderOf(stack) },
  })
}

/** A change set for a stack that never was may have none. */
function holderOf({ Tags = [] }: Stack): string | undefined {
  return Tags.find(({ Key }) => Key === rackTag)?.Value
}
