import type { Control } from '../domain/control.ts'
import type { InstallationAccount } from './installation-account.ts'

/** How long it may be believed that there is no such name, s. A zone has a quarter of an hour from the start. */
const lifeSeconds = 5

/**
 * Lets a name of the rack's zone that was asked for too early be found soon after it is there. The record that says so
 * comes with the zone, so that no template can make it. Safe to repeat.
 */
export async function forgetAbsentNamesSoon(
  { clients }: InstallationAccount,
  { zone, name }: { zone: string; name: string },
  { signal }: Control,
): Promise<void> {
  const first = { HostedZoneId: zone, StartRecordName: name, StartRecordType: 'SOA' as const, MaxItems: 1 }
  const { ResourceRecordSets: [record] = [] } = await clients.zones.listResourceRecordSets(first, {
    abortSignal: signal,
  })
  // Its last number, or its own life where that is less (RFC 2308).
  const value = record?.ResourceRecords?.[0]?.Value?.replace(/\d+$/, String(lifeSeconds))
  if (record?.Type !== 'SOA' || value === undefined) return
  if (record.TTL === lifeSeconds && value === record.ResourceRecords?.[0]?.Value) return
  const changed = {
    Name: record.Name,
    Type: 'SOA' as const,
    TTL: lifeSeconds,
    ResourceRecords: [{ Value: value }],
  }
  await clients.zones.changeResourceRecordSets(
    { HostedZoneId: zone, ChangeBatch: { Changes: [{ Action: 'UPSERT', ResourceRecordSet: changed }] } },
    { abortSignal: signal },
  )
}
