import type {
  Change,
  ListResourceRecordSetsCommandInput,
  ListResourceRecordSetsCommandOutput,
  ResourceRecordSet,
} from '@aws-sdk/client-route-53'
import type { Control } from '../../../domain/control.ts'
import type { Owner } from '../../../domain/owner.ts'
import { isAwsError } from '../../../aws/errors.ts'
import { until } from '../../../lib/poll.ts'
import { searchDomain } from '../names.ts'
import type { AwsParts } from '../parts.ts'

/** Names inside an owner, and where each leads: by full names, without the dot at their end. */
export type Records = Map<string, string>

/** How long an answer about a name may be kept, s. */
const lifeSeconds = 5
const syncDeadlineMs = 180_000

type RecordPlace = Pick<ListResourceRecordSetsCommandInput, 'StartRecordName' | 'StartRecordType'>

/** Those of an owner. */
export async function findRecords(
  { clients, places, rack }: AwsParts,
  owner: Owner,
  { signal }: Pick<Control, 'signal'>,
): Promise<Records> {
  const place = { zone: places.zone, domain: searchDomain(rack, owner) }
  const records: Records = new Map()
  for await (const { name, set } of recordSetsBelow({ clients }, place, { signal })) {
    const [value] = set.ResourceRecords ?? []
    if (set.Type === 'CNAME' && value) records.set(name, plainName(value.Value))
  }
  return records
}

/** Record sets of a domain and all below it, each with its name as people write it. */
export async function* recordSetsBelow(
  { clients }: Pick<AwsParts, 'clients'>,
  { zone, domain }: { zone: string; domain: string },
  { signal }: Pick<Control, 'signal'>,
): AsyncGenerator<{ name: string; set: ResourceRecordSet }> {
  // They stand in the order of their labels from the last to the first, so those of a domain are together.
  let start: RecordPlace | null = { StartRecordName: domain }
  while (start) {
    const input: ListResourceRecordSetsCommandInput = { HostedZoneId: zone, ...start }
    const answer: ListResourceRecordSetsCommandOutput = await clients.zones.listResourceRecordSets(input, {
      abortSignal: signal,
    })
    for (const set of answer.ResourceRecordSets ?? []) {
      const name = plainName(set.Name)
      if (name !== domain && !name.endsWith(`.${domain}`)) return
      yield { name, set }
    }
    start = answer.IsTruncated
      ? { StartRecordName: answer.NextRecordName, StartRecordType: answer.NextRecordType }
      : null
  }
}

/** In small letters, without the dot at its end; Route 53 tells a `*` by its number (D). */
export const plainName = (name = '') => name.replace(/\.$/, '').replace('\\052', '*').toLowerCase()

/** What is to be changed so that `wanted` holds, and none of `unwanted` is there. Pure. */
export function recordChanges(now: Records, wanted: Records, unwanted: Iterable<string> = []): Change[] {
  const upserts = [...wanted]
    .filter(([name, target]) => now.get(name) !== target)
    .map(([name, target]): Change => ({ Action: 'UPSERT', ResourceRecordSet: recordSet(name, target) }))
  const gone = [...unwanted].filter((name) => now.has(name) && !wanted.has(name))
  const deletes = gone.map((name): Change => ({
    Action: 'DELETE',
    ResourceRecordSet: recordSet(name, now.get(name)!),
  }))
  return [...upserts, ...deletes]
}

function recordSet(name: string, target: string): ResourceRecordSet {
  return { Name: name, Type: 'CNAME', TTL: lifeSeconds, ResourceRecords: [{ Value: target }] }
}

/** One batch, whole or not at all; gives by what its spread is asked for. */
export async function changeRecords(
  { clients, places }: AwsParts,
  changes: Change[],
  { signal }: Pick<Control, 'signal'>,
): Promise<string> {
  const input = { HostedZoneId: places.zone, ChangeBatch: { Changes: changes } }
  const { ChangeInfo } = await clients.zones.changeResourceRecordSets(input, { abortSignal: signal })
  return ChangeInfo!.Id!
}

/** How often a change is made of what is there now. */
const mostAttempts = 4

/**
 * Changes names of an owner where some are to go: nothing of a batch is done where one of these went before, by another
 * hand or by this call, whose answer was lost. Then it is looked at anew.
 * @param records as they were read last
 * @param changesOf what is to be done where these are there; none at all is no call
 * @returns by what its spread is asked for; null where nothing was to be done
 */
export async function changeRecordsOf(
  parts: AwsParts,
  { owner, records }: { owner: Owner; records: Records },
  changesOf: (now: Records, isFirst: boolean) => Change[],
  control: Pick<Control, 'signal'>,
): Promise<string | null> {
  let now = records
  for (let attempt = 1; ; attempt++) {
    const changes = changesOf(now, attempt === 1)
    if (changes.length === 0) return null
    try {
      return await changeRecords(parts, changes, control)
    } catch (error) {
      if (attempt === mostAttempts || !isAwsError(error, 'InvalidChangeBatch')) throw error
    }
    now = await findRecords(parts, owner, control)
  }
}

/** Settles when a change is known everywhere. */
export async function awaitChange(
  { clients, intervals }: AwsParts,
  change: string,
  { signal }: Pick<Control, 'signal'>,
): Promise<void> {
  const isKnown = async () => {
    const { ChangeInfo } = await clients.zones.getChange({ Id: change }, { abortSignal: signal })
    return ChangeInfo?.Status === 'INSYNC'
  }
  const what = 'names to be known everywhere'
  await until(isKnown, { intervalMs: intervals.names, deadlineMs: syncDeadlineMs, what, signal })
}
