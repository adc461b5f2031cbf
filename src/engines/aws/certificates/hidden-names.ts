import type { Change, HostedZone, ResourceRecordSet } from '@aws-sdk/client-route-53'
import { isAwsError } from '../../../aws/errors.ts'
import type { Control } from '../../../domain/control.ts'
import type { ProofRecord } from '../../../domain/name-state.ts'
import type { AwsParts } from '../parts.ts'
import { findPlace, leadingRecord, type PublicPlace, type PublicSets } from '../web/public-names.ts'
import { plainName } from '../inside/records.ts'

type Proof = Pick<ProofRecord, 'name'>
type Parts = Pick<AwsParts, 'clients' | 'domain' | 'places'>

/**
 * Names that a record below a domain hides from the domain's wildcard: what it is below is a name that is there, though
 * nothing is told of it, and the wildcard serves neither that nor what else is below it (RFC 4592, 2.2.2). Pure.
 */
export function hiddenBy({ name }: Proof, domain: string): string[] {
  if (!name.endsWith(`.${domain}`)) return []
  const labels = name.slice(0, -domain.length - 1).split('.')
  const above = labels.slice(1).map((_, at) => `${labels.slice(at + 1).join('.')}.${domain}`)
  return above.flatMap((each) => [each, `*.${each}`])
}

/** What leads hidden names to where the wildcard of the domain would: to a rack's own balancer where its zone has none. Pure. */
export function hiddenLeads(
  { domain, host, sets }: { domain: string; host: string; sets: PublicSets },
  proof: Proof,
): ResourceRecordSet[] {
  const wildcard = sets.find(({ name, set }) => name === `*.${domain}` && set.Type === 'CNAME')
  const target = wildcard?.set.ResourceRecords?.[0]?.Value ?? host
  return hiddenBy(proof, domain).map((name) => leadingRecord(name, target))
}

/** Where names that these proofs hide are led; null where they hide none, or the account does not answer for the domain. */
export async function placeOfHidden(
  parts: Parts,
  { proofs, zones }: { proofs: readonly Proof[]; zones: readonly HostedZone[] },
  control: Pick<Control, 'signal'>,
): Promise<PublicPlace | null> {
  if (!proofs.some((proof) => hiddenBy(proof, parts.domain).length > 0)) return null
  return await findPlace(parts, zones, control)
}

/** Has names led that a proof hides, where nothing says of them where they lead. Safe to repeat. */
export async function leadHidden(
  parts: Parts,
  { place, proof }: { place: PublicPlace; proof: Proof },
  control: Pick<Control, 'signal'>,
): Promise<void> {
  const there = new Set(place.sets.map(({ name }) => name))
  const lacked = leadsAt(parts, place, proof).filter(({ Name }) => !there.has(Name!))
  for (const set of lacked)
    await changeOne(parts, place, { Action: 'CREATE', ResourceRecordSet: set }, control)
}

/** Takes that away again, where the wildcard of the domain leads them and no other proof hides them. Safe to repeat. */
export async function dropHidden(
  parts: Parts,
  { place, proof, others }: { place: PublicPlace; proof: Proof; others: readonly Proof[] },
  control: Pick<Control, 'signal'>,
): Promise<void> {
  if (!place.sets.some(({ name }) => name === `*.${parts.domain}`)) return
  const hidden = new Set(others.flatMap((other) => hiddenBy(other, parts.domain)))
  for (const set of leadsAt(parts, place, proof))
    if (!hidden.has(set.Name!) && isThere(place.sets, set))
      await changeOne(parts, place, { Action: 'DELETE', ResourceRecordSet: set }, control)
}

const leadsAt = ({ domain, places }: Parts, { sets }: PublicPlace, proof: Proof) =>
  hiddenLeads({ domain, host: places.balancer.host, sets }, proof)

function isThere(sets: PublicSets, { Name, TTL, ResourceRecords }: ResourceRecordSet): boolean {
  const target = plainName(ResourceRecords?.[0]?.Value)
  return sets.some(
    ({ name, set }) =>
      name === Name &&
      set.Type === 'CNAME' &&
      set.TTL === TTL &&
      plainName(set.ResourceRecords?.[0]?.Value) === target,
  )
}

/** What another hand has put there, or taken away, since it was read stays so. */
async function changeOne(
  { clients }: Parts,
  { zone }: PublicPlace,
  change: Change,
  { signal }: Pick<Control, 'signal'>,
): Promise<void> {
  const input = { HostedZoneId: zone.Id, ChangeBatch: { Changes: [change] } }
  try {
    await clients.zones.changeResourceRecordSets(input, { abortSignal: signal })
  } catch (error) {
    if (!isAwsError(error, 'InvalidChangeBatch')) throw error
  }
}
