import type { DBSnapshot } from '@aws-sdk/client-rds'
import type { Control } from '../../../domain/control.ts'
import type { ManagedService } from '../../../domain/service.ts'
import { pages } from '../look/found.ts'
import { ownerTag, readTags } from '../names.ts'
import type { AwsParts } from '../parts.ts'

/** CloudFormation names it; by the tags that it has of its database it is known, also from that of an earlier service. */
export async function lastSnapshot(
  { clients, rack }: AwsParts,
  { name, identity }: Pick<ManagedService, 'name' | 'identity'>,
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
