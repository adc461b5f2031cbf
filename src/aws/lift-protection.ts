import type { Control } from '../domain/control.ts'
import type { AwsClients } from './clients.ts'
import { isAwsError } from './errors.ts'
import { findResource, type StackResource } from './stack-resource.ts'
import { untilOver } from './until-over.ts'

/** As long as a database may be on its way from one state to the next: RDS says minutes. */
const busyDeadlineMs = 1_800_000

/**
 * Lets a database of a stack be deleted, in whatever state both are; no harm where there is none. Not by the stack: one
 * whose removal somebody has tried by hand takes no change any more. One that is busy, such as with a backup, is waited for.
 */
export async function liftProtection(
  {
    stacks,
    databases,
    intervalMs,
    ...named
  }: Pick<AwsClients, 'stacks' | 'databases'> & StackResource & { intervalMs: number },
  control: Pick<Control, 'signal'>,
): Promise<void> {
  const instance = await findResource(stacks, named, control)
  if (instance === null) return
  const input = { DBInstanceIdentifier: instance.id, DeletionProtection: false, ApplyImmediately: true }
  const lift = async () => {
    try {
      await databases.modifyDBInstance(input, { abortSignal: control.signal })
      return true
    } catch (error) {
      // Somebody has deleted it by hand.
      if (isAwsError(error, 'DBInstanceNotFoundFault', 'DBInstanceNotFound')) return true
      if (isAwsError(error, 'InvalidDBInstanceStateFault', 'InvalidDBInstanceState')) return false
      throw error
    }
  }
  const what = `the database ${instance.id} to take a change`
  await untilOver(lift, { intervalMs, deadlineMs: busyDeadlineMs, what, signal: control.signal })
}
