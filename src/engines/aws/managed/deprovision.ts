import type { Control } from '../../../domain/control.ts'
import { liftProtection } from '../../../aws/lift-protection.ts'
import { findResource } from '../../../aws/stack-resource.ts'
import { removableStack } from '../../../aws/stack-state.ts'
import { removeStack } from '../../../aws/stacks.ts'
import { serviceStackName } from '../names.ts'
import type { AwsParts } from '../parts.ts'
import type { ManagedService } from '../../../domain/service.ts'
import { cacheResource } from './cache-template.ts'
import { databaseResource } from './database-template.ts'
import { assertOwn } from './own-stack.ts'
import { lastSnapshot } from './last-snapshot.ts'
import { managedDeadlineMs } from './provision.ts'
import { ownStackOptions } from '../own-stacks.ts'

type Identified = Pick<ManagedService, 'name' | 'identity'>

/**
 * Takes away what the account runs for a service, once there is a last snapshot of it; gives how that is known, and null
 * where there is none. Safe to repeat, but that a cache is told of by whoever takes it away alone.
 */
export async function deprovisionManaged(
  parts: AwsParts,
  service: Identified,
  control: Control,
): Promise<string | null> {
  const options = ownStackOptions(parts, managedDeadlineMs)
  const name = serviceStackName(parts.rack, service.name)
  const found = await removableStack(options, name, control)
  if (found !== null) {
    assertOwn(parts.rack, found)
    const { stacks, databases } = parts.clients
    const { intervalMs } = options
    await liftProtection({ stacks, databases, stack: name, resource: databaseResource, intervalMs }, control)
    const cache = await findResource(stacks, { stack: name, resource: cacheResource }, control)
    await removeStack(options, name, control)
    // CloudFormation names its snapshot, and says to nobody how.
    if (cache?.type === 'AWS::ElastiCache::ReplicationGroup') return `the one of ${cache.id}`
  }
  return await lastSnapshot(parts, service, control)
}
