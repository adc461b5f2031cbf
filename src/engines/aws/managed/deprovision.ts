import type { DBSnapshot } from '@aws-sdk/client-rds'
import type { Control } from '../../../domain/control.ts'
import { isAwsError } from '../../../aws/errors.ts'
import { removableStack } from '../../../aws/stack-state.ts'
import { removeStack } from '../../../aws/stacks.ts'
import { pages } from '../look/found.ts'
import { ownerTag, readTags, serviceStackName } from '../names.ts'
import type { AwsParts } from '../parts.ts'
import type { ManagedService } from '../../../domain/service.ts'
import { cacheResource } from './cache-template.ts'
import { databaseResource } from './database-template.ts'
import { assertOwn } from './own-stack.ts'
import { managedDeadlineMs } from './provision.ts'

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
  const { clients, rack, intervals } = parts
  const options = {
    stacks: clients.stacks,
    intervalMs: intervals.stacks,
    deadlineMs: managedDeadlineMs,
  }
  const name = serviceStackName(rack, service.name)
  const found = await removableStack(options, name, control)
  if (found !== null) {
    assertOwn(rack, found)
    const instance = await findResource(parts, { stack: name, resource: databaseResource }, control)
    if (instance) await liftProtection(parts, instance.id, control)
    const cache = await findResource(parts, { stack: name, resource: cacheResource }, control)
    await removeStack(options, name, control)
    // CloudFormation names its snapshot, and says to nobody how.
    if (cache?.type === 'AWS::ElastiCache::ReplicationGroup') return `the one of ${cache.id}`
  }
  return await lastSnapshot(parts, service, control)
}

/** What a stack has made by a logical name, in whatever state that is; null for what was never made. */
async function findResource(
  { clients }: AwsParts,
  { stack, resource }: { stack: string; resource: string },
  { signal }: Control,
): Promise<{ id: string; type: string } | null> {
  const input = { StackName: stack, LogicalResourceId: resource }
  try {
    const found = await clients.stacks.describeStackResource(input, { abortSignal: signal })
    const { PhysicalResourceId: id, ResourceType: type = '' } = found.StackResourceDetail ?? {}
    return id === undefined ? null : { id, type }
  } catch (error) {
    // AWS says so of a resource that is not there.
    if (isAwsError(error, 'ValidationError')) return null
    throw error
  }
}

/** Not by the stack: one whose removal somebody has tried by hand takes no change any more. */
async function liftProtection({ clients }: AwsParts, instance: string, { signal }: Control): Promise<void> {
  const input = { DBInstanceIdentifier: instance, DeletionProtection: false, ApplyImmediately: true }
  try {
    await clients.databases.modifyDBInstance(input, { abortSignal: signal })
  } catch (error) {
    // Somebody has deleted it by hand.
    if (!isAwsError(error, 'DBInstanceNotFoundFault', 'DBInstanceNotFound')) throw error
  }
}

/** CloudFormation names it; by the tags that it has of its database it is known, also from that of an earlier service. */
async function lastSnapshot(
  { clients, rack }: AwsParts,
  { name, identity }: Identified,
  { signal }: Control,
): Promise<string | null> {
  const list = async (Marker?: string) => {
    const input = { SnapshotType: 'manual', ...(Marker && { Marker }) }
    const answer = await clients.databases.describeDBSnapshots(input, { abortSignal: signal })
    return { items: answer.DBSnapshots ?? [], nextToken: answer.Marker }
  }
  const owner = ownerTag({ kind: 'service', name })
  const isOwn = ({ TagList = [] }: DBSnapshot) => {
    const tags = readTags(TagList.map(({ Key, Value }) => ({ key: Key, value: Value })))
    return tags.rack === rack && tags.owner === owner && tags.identity === identity
  }
  const own = (await Array.fromAsync(pages(list))).filter(isOwn)
  const timeOf = ({ SnapshotCreateTime }: DBSnapshot) => SnapshotCreateTime?.getTime() ?? 0
  return own.toSorted((a, b) => timeOf(b) - timeOf(a))[0]?.DBSnapshotIdentifier ?? null
}
