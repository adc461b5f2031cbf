import type {
  ChangeInfo,
  ChangeResourceRecordSetsRequest,
  ListHostedZonesRequest,
  ListResourceRecordSetsRequest,
  ResourceRecordSet,
} from '@aws-sdk/client-route-53'
import { AwsError, type Action, type FakeAccount } from '../fake-service.ts'
import { absolute, applyBatch, compare, inOrder, orderOf, type RecordSet } from './change-batch.ts'
import type { Zone, ZoneChange } from './zone.ts'

/** A page holds so many at most, though AWS allows 300: paging is on purpose. */
const mostOnPage = 10

/**
 * Route 53, for the zones that there are. Its throttle of five calls a second is the account's.
 * @param changes by id, those that were made; it adds its own
 */
export function route53Actions(
  account: FakeAccount,
  zones: Zone[],
  changes: Map<string, ZoneChange>,
): Record<string, Action> {
  const find = (id: string) => {
    const found = zones.find((zone) => zone.isThere && id.replace(/^\/hostedzone\//, '') === zone.id)
    if (found) return found
    throw new AwsError('NoSuchHostedZone', `No hosted zone found with ID: ${id}`, 404)
  }
  return {
    ChangeResourceRecordSets: async ({ HostedZoneId, ChangeBatch }: ChangeResourceRecordSetsRequest) => {
      const zone = find(HostedZoneId!)
      const records = applyBatch(zone.records, ChangeBatch!.Changes!, zone.name)
      const change = zone.replace(records, `C${String(changes.size + 1).padStart(13, '0')}`)
      changes.set(change.id, change)
      return { ChangeInfo: told(account, change) }
    },
    ListHostedZones: async (input: ListHostedZonesRequest) =>
      listZones(
        zones.filter(({ isThere }) => isThere),
        input,
      ),
    GetChange: async ({ Id }: { Id: string }) => {
      const change = changes.get(Id.replace(/^\/change\//, ''))
      if (!change) throw new AwsError('NoSuchChange', `A change with ID ${Id} was not found`, 404)
      return { ChangeInfo: told(account, change) }
    },
    ListResourceRecordSets: async (input: ListResourceRecordSetsRequest) =>
      list(find(input.HostedZoneId!), input),
  }
}

function told({ clock }: FakeAccount, { id, submittedAt, inSyncAt, isServed }: ZoneChange): ChangeInfo {
  const Status = isServed && clock.now() >= inSyncAt ? 'INSYNC' : 'PENDING'
  return { Id: `/change/${id}`, Status, SubmittedAt: submittedAt }
}

/** Zones by the order in which they were made. */
function listZones(
  zones: Zone[],
  { Marker, MaxItems = 100, DelegationSetId, HostedZoneType }: ListHostedZonesRequest,
): object {
  if (DelegationSetId ?? HostedZoneType)
    throw new AwsError('InvalidInput', 'the fake account knows no choice among zones')
  const start = Marker === undefined ? 0 : zones.findIndex(({ id }) => id === Marker)
  if (start < 0) throw new AwsError('InvalidInput', 'The marker is none')
  // One on a page: paging is on purpose.
  const page = zones.slice(start, start + 1)
  const next = zones[start + 1]
  return {
    HostedZones: page.map(({ id, name, isPublic }) => ({
      Id: `/hostedzone/${id}`,
      Name: name,
      CallerReference: id,
      Config: { PrivateZone: !isPublic },
    })),
    ...(Marker !== undefined && { Marker }),
    IsTruncated: next !== undefined,
    ...(next && { NextMarker: next.id }),
    MaxItems,
  }
}

/** From a name on, which need not be there (D). */
function list(zone: Zone, input: ListResourceRecordSetsRequest): object {
  const { StartRecordName, StartRecordType, StartRecordIdentifier, MaxItems = 300 } = input
  if (StartRecordIdentifier)
    throw new AwsError('InvalidInput', 'the fake account knows no identifiers of record sets')
  if (StartRecordType && !StartRecordName)
    throw new AwsError('InvalidInput', 'A type needs a name to start at')
  if (MaxItems < 1) throw new AwsError('InvalidInput', 'MaxItems must be positive')
  const name = StartRecordName === undefined ? null : absolute(StartRecordName)
  const start = name === null ? '' : orderOf({ name, ...(StartRecordType && { type: StartRecordType }) })
  const left = inOrder(zone.records).filter((set) => compare(orderOf(set), start) >= 0)
  const page = left.slice(0, Math.min(MaxItems, mostOnPage))
  const next = left[page.length]
  return {
    ResourceRecordSets: page.map(recordSetOf),
    IsTruncated: next !== undefined,
    ...(next && { NextRecordName: next.name, NextRecordType: next.type }),
    MaxItems,
  }
}

const recordSetOf = ({ name, type, ttl, values }: RecordSet): ResourceRecordSet => ({
  Name: name,
  Type: type,
  TTL: ttl,
  ResourceRecords: values.map((Value) => ({ Value })),
})
