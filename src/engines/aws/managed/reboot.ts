import { isAwsError } from '../../../aws/errors.ts'
import { findResource } from '../../../aws/stack-resource.ts'
import { describeStack } from '../../../aws/stack-state.ts'
import { untilOver } from '../../../aws/until-over.ts'
import type { Control } from '../../../domain/control.ts'
import { RackError } from '../../../domain/error.ts'
import { unmanagedError, type ManagedService } from '../../../domain/service.ts'
import { serviceStackName } from '../names.ts'
import { ownStackOptions } from '../own-stacks.ts'
import type { AwsParts } from '../parts.ts'
import { databaseResource, isDatabase } from './database-template.ts'
import { assertOwn } from './own-stack.ts'
import { managedDeadlineMs } from './provision.ts'

/** Has RDS start the server of a database anew; settles when RDS says that it is available. */
export async function rebootManaged(
  parts: AwsParts,
  service: Pick<ManagedService, 'name' | 'kind'>,
  control: Control,
): Promise<void> {
  const { clients, rack, intervals } = parts
  const { signal } = control
  const { name } = service
  if (!isDatabase(service)) throw unmanagedError(service)
  const { stacks, databases } = clients
  const options = { abortSignal: signal }
  const stack = serviceStackName(rack, name)
  const there = await describeStack(ownStackOptions(parts), stack, control)
  if (there) assertOwn(rack, there)
  const found = await findResource(stacks, { stack, resource: databaseResource }, control)
  if (found === null) throw goneError(service)
  const instance = { DBInstanceIdentifier: found.id }
  const statusOf = async () => {
    const { DBInstances = [] } = await databases.describeDBInstances(instance, options)
    return DBInstances[0]?.DBInstanceStatus ?? 'unknown'
  }
  try {
    await databases.rebootDBInstance(instance, options)
    const isAvailable = async () => (await statusOf()) === 'available'
    const what = `the database ${found.id} to be available`
    await untilOver(isAvailable, {
      intervalMs: intervals.stacks,
      deadlineMs: managedDeadlineMs,
      what,
      signal,
    })
  } catch (error) {
    if (isAwsError(error, 'DBInstanceNotFoundFault', 'DBInstanceNotFound')) throw goneError(service)
    if (!isAwsError(error, 'InvalidDBInstanceStateFault', 'InvalidDBInstanceState')) throw error
    throw new RackError('conflict', `RDS restarts ${name} when it is available: it is ${await statusOf()}`, {
      hint: `Wait until RDS is done with it, and do it again: rack services restart ${name}`,
      details: { service: name, database: found.id },
      cause: error,
    })
  }
}

const goneError = ({ name }: Pick<ManagedService, 'name'>) =>
  new RackError('conflict', `RDS has the database of ${name} no more`, {
    hint: `See what became of it: rack services info ${name}`,
    details: { service: name },
  })
