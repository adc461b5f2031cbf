import type { Stack } from '@aws-sdk/client-cloudformation'
import { assertOwnStack } from '../../../aws/own-stack.ts'

/**
 * The rack `x-service-main` has a stack that is called as that of the service `main` of the rack `x`.
 * @throws conflict for a stack of another rack
 */
export function assertOwn(rack: string, stack: Stack): void {
  assertOwnStack(rack, stack, 'Give the service another name: --name NAME')
}
