import type { DBSnapshot } from '@aws-sdk/client-rds'
import type { Control } from '../../../domain/control.ts'
import { liftProtection } from '../../../aws/lift-protection.ts'
import { removableStack } from '../../../aws/stack-state.ts'
import { removeStack } from '../../../aws/stacks.ts'
import { pages } from '../look/found.ts'
import { ownerTag, readTags, serviceStackName } from '../names.ts'
import type { AwsParts } from '../parts.ts'
import { databaseResource } from './database-template.ts'
import { assertOwn } from './own-stack.ts'
import { databaseDeadlineMs } from './provision.ts'
import { ownStackOptions } from '../own-stacks.ts'

/**
 * Takes a database away, once RDS has a last snapshot of it; gives the id of the newest of a service of this name, of
 * an earlier one too, and null where there is none. Safe to repeat.
 */
export async function deprovisionDatabase(
  parts: AwsParts,
  service: string,
  control: Control,
): Promise<string | null> {
  const { clients, rack } = parts
  const options = ownStackOptions(parts, databaseDeadlineMs)
  const name = serviceStackName(rack, service)
  const found = await removableStack(options, name, control)
  if (found !== null) {
    assertOwn(rack, found)
    await liftProtection({ ...clients, stack: name, resource: databaseResource }, control)
    await removeStack(options, name, control)
  }
  return await lastSnapshot(parts, service, control)
}

/** CloudFormation names it; by the tags that it has of its database it is known. */
async function lastSnapshot(
  { clients, rack }: AwsParts,
  service: string,
  { signal }: Control,
): Promise<string | null> {
  const list = async (Marker?: string) => {
    const input = { SnapshotType: 'manual', ...(Marker && { Marker }) }
    const answer = await clients.databases.describeDBSnapshots(input, { abortSignal: signal })
    return { items: answer.DBSnapshots ?? [], nextToken: answer.Marker }
  }
  const owner = ownerTag({ kind: 'service', name: service })
  const isOwn = ({ TagList = [] }: DBSnapshot) => {
    const tags = readTags(TagList.map(({ Key, Value }) => ({ key: Key, value: Value })))
    return tags.rack === rack && tags.owner === owner
  }
  const own = (await Array.fromAsync(pages(list))).filter(isOwn)
  const timeOf = ({ SnapshotCreateTime }: DBSnapshot) => SnapshotCreateTime?.getTime() ?? 0
  return own.toSorted((a, b) => timeOf(b) - timeOf(a))[0]?.DBSnapshotIdentifier ?? null
}
