import type { HostedZone } from '@aws-sdk/client-route-53'
import type { Control } from '../../../domain/control.ts'
import type { ProofRecord } from '../../../domain/name-state.ts'
import { isAwsError } from '../../../aws/errors.ts'
import { pages } from '../look/found.ts'
import type { AwsParts } from '../parts.ts'

/** Of what is looked at for hours. */
const lifeSeconds = 300

/** The account's zones that the public asks. */
export async function publicZones(
  { clients }: Pick<AwsParts, 'clients'>,
  { signal }: Pick<Control, 'signal'>,
): Promise<HostedZone[]> {
  const list = async (Marker?: string) => {
    const answer = await clients.zones.listHostedZones({ ...(Marker && { Marker }) }, { abortSignal: signal })
    return {
      items: answer.HostedZones ?? [],
      nextToken: answer.IsTruncated ? answer.NextMarker : undefined,
    }
  }
  const all = await Array.fromAsync(pages(list))
  return all.filter(({ Config }) => !Config?.PrivateZone)
}

/** The one that answers for a name: that of its longest end. Pure; null where none of them does. */
export function zoneOf(name: string, zones: readonly HostedZone[]): HostedZone | null {
  const isAbove = ({ Name = '' }: HostedZone) => `.${name}.`.endsWith(`.${Name}`)
  const above = zones.filter(isAbove)
  return above.toSorted((a, b) => (b.Name?.length ?? 0) - (a.Name?.length ?? 0))[0] ?? null
}

/** Safe to repeat. */
export async function putProof(
  { clients }: Pick<AwsParts, 'clients'>,
  zone: HostedZone,
  record: ProofRecord,
  { signal }: Pick<Control, 'signal'>,
): Promise<void> {
  const Changes = [{ Action: 'UPSERT' as const, ResourceRecordSet: recordSet(record) }]
  const input = { HostedZoneId: zone.Id, ChangeBatch: { Changes } }
  await clients.zones.changeResourceRecordSets(input, { abortSignal: signal })
}

/** Safe to repeat; one that somebody has changed stays. */
export async function dropProof(
  { clients }: Pick<AwsParts, 'clients'>,
  zone: HostedZone,
  record: ProofRecord,
  { signal }: Pick<Control, 'signal'>,
): Promise<void> {
  const Changes = [{ Action: 'DELETE' as const, ResourceRecordSet: recordSet(record) }]
  try {
    const input = { HostedZoneId: zone.Id, ChangeBatch: { Changes } }
    await clients.zones.changeResourceRecordSets(input, { abortSignal: signal })
  } catch (error) {
    if (!isAwsError(error, 'InvalidChangeBatch')) throw error
  }
}

function recordSet({ name, type, value }: ProofRecord) {
  return { Name: name, Type: type, TTL: lifeSeconds, ResourceRecords: [{ Value: value }] }
}
