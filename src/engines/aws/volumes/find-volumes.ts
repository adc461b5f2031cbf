import type { Owner } from '../../../domain/owner.ts'
import { compareOwners, isSameOwner } from '../../../domain/owner.ts'
import { pages } from '../look/found.ts'
import { readAwsTags, readOwnerWord } from '../names.ts'
import type { AwsParts } from '../parts.ts'

/** A volume as its access point is found. */
export interface FoundVolume {
  owner: Owner
  name: string
  /** Of the access point. */
  id: string
  created: string | null
}

/** The volumes of one owner or of all, by owner and name; those that go are left out. */
export async function findVolumes(
  { clients, places }: Pick<AwsParts, 'clients' | 'places'>,
  { owner, name }: { owner?: Owner | undefined; name?: string | undefined },
  { signal }: { signal: AbortSignal },
): Promise<FoundVolume[]> {
  const list = async (NextToken?: string) => {
    const input = { FileSystemId: places.fileSystem, ...(NextToken && { NextToken }) }
    const answer = await clients.files.describeAccessPoints(input, { abortSignal: signal })
    return { items: answer.AccessPoints ?? [], nextToken: answer.NextToken }
  }
  const found: FoundVolume[] = []
  for await (const { RootDirectory, AccessPointId, LifeCycleState, Tags } of pages(list)) {
    const [, word, volume] = /^\/([^/]+)\/([^/]+)$/.exec(RootDirectory?.Path ?? '') ?? []
    if (!word || !volume || !AccessPointId) continue
    if (LifeCycleState === 'deleting' || LifeCycleState === 'deleted') continue
    const created = readAwsTags(Tags).created ?? null
    found.push({ owner: readOwnerWord(word), name: volume, id: AccessPointId, created })
  }
  return found
    .filter((each) => (!owner || isSameOwner(each.owner, owner)) && (!name || each.name === name))
    .toSorted((a, b) => compareOwners(a.owner, b.owner) || (a.name < b.name ? -1 : 1))
}
