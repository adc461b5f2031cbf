import type { Stack } from '@aws-sdk/client-cloudformation'
import { RackError } from '../../../domain/error.ts'
import { tagNames } from '../names.ts'

/**
 * The rack `x-service-main` has a stack that is called as that of the service `main` of the rack `x`.
 * @throws conflict for a stack of another rack
 */
export function assertOwn(rack: string, { StackName, Tags = [] }: Stack): void {
  const holder = Tags.find(({ Key }) => Key === tagNames.rack)?.Value
  // A change set for a stack that never was may have none.
  if (holder === undefined || holder === rack) return
  throw new RackError('conflict', `the stack ${StackName} is not of the rack ${rack}`, {
    hint: 'Give the service another name: --name NAME',
    details: { stack: StackName, rack: holder },
  })
}
