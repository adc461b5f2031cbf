import type { HostedZone } from '@aws-sdk/client-route-53'
import type { Control } from '../../../domain/control.ts'
import type { NameState, ProofRecord } from '../../../domain/name-state.ts'
import { isAwsError } from '../../../aws/errors.ts'
import type { AwsParts } from '../parts.ts'
import {
  deleteCertificate,
  ownCertificates,
  requestCertificate,
  type OwnCertificate,
} from './own-certificates.ts'
import type { PublicPlace } from '../web/public-names.ts'
import { dropHidden, leadHidden, placeOfHidden } from './hidden-names.ts'
import { dropProof, publicZones, putProof, zoneOf } from './public-records.ts'
import { shownCertificates } from './shown-names.ts'

/** An authority that has refused a name is asked again after so long. */
const againMs = 24 * 3600_000

/** A listener, and the names for which it shows a certificate besides its default one. */
export interface ListenerNames {
  /** ARN. */
  listener: string
  names: readonly string[]
}

/**
 * Has certificates of ACM for these names and no others of the rack's own, proved in the account's public zones, and shown by
 * the listeners that lead by them as soon as they are issued. Each call goes one step on; safe to repeat.
 */
export async function bringCertificates(
  parts: AwsParts,
  { names, listeners }: { names: readonly string[]; listeners: readonly ListenerNames[] },
  control: Pick<Control, 'signal'>,
): Promise<NameState[]> {
  const own = await ownCertificates(parts, control)
  if (own.length + names.length === 0) return []
  const places: Place[] = []
  for (const each of listeners) {
    const shown = new Set(await shownCertificates(parts, each.listener, control))
    places.push({ ...each, shown })
  }
  const zones = await publicZones(parts, control)
  const proofs = own.flatMap(({ proof }) => proof ?? [])
  const hidden = await placeOfHidden(parts, { proofs, zones }, control)
  const kept = own.filter(({ name }) => names.includes(name))
  const world = { parts, places, zones, hidden, kept }
  const states: NameState[] = []
  for (const name of names) {
    const mine = own.filter((each) => each.name === name)
    states.push(await bringOne(world, name, mine, control))
  }
  for (const each of own) if (!names.includes(each.name)) await dropOne(world, each, control)
  return states
}

interface Place extends ListenerNames {
  /** ARNs. */
  shown: ReadonlySet<string>
}

interface World {
  parts: AwsParts
  /** Certificates of names that stay. */
  kept: readonly OwnCertificate[]
  places: readonly Place[]
  zones: HostedZone[]
  /** Where names are led that proofs hide from the wildcard of the rack's domain; null where there are none. */
  hidden: PublicPlace | null
}

async function bringOne(
  world: World,
  name: string,
  own: OwnCertificate[],
  control: Pick<Control, 'signal'>,
): Promise<NameState> {
  const { parts, hidden } = world
  const waiting = (reason: string, record: ProofRecord | null = null): NameState => ({
    name,
    state: 'waiting',
    record,
    reason,
  })
  const issued = own.find(({ state }) => state === 'issued')
  if (issued) {
    const { proof } = issued
    if (hidden && proof) await leadHidden(parts, { place: hidden, proof }, control)
    return await show(world, issued, control)
  }
  const pending = own.find(({ state }) => state === 'pending')
  if (pending) {
    const { proof } = pending
    if (proof === null) return waiting('ACM has not said yet how the name is to be proved')
    const zone = zoneOf(proof.name, world.zones)
    if (zone === null) return waiting('the record is to be put into its DNS', proof)
    // Before: from then on the wildcard leads them no more.
    if (hidden) await leadHidden(parts, { place: hidden, proof }, control)
    await putProof(parts, zone, proof, control)
    return waiting('ACM looks for the record that proves the name')
  }
  const failed = own.find(({ state }) => state === 'failed')
  if (failed && Date.now() - failed.createdMs < againMs) {
    const reason = `ACM has refused it: ${failed.failure ?? 'it does not say why'}`
    return { name, state: 'failed', record: null, reason }
  }
  for (const each of own) await dropOne(world, each, control)
  try {
    await requestCertificate(parts, name, control)
  } catch (error) {
    // A name of more than 64 characters, or one more than the account may ask for: other names have theirs.
    if (!isAwsError(error, ...refusals)) throw error
    return {
      name,
      state: 'failed',
      record: null,
      reason: `ACM takes no order for it: ${(error as Error).message}`,
    }
  }
  return waiting('ACM is asked for a certificate')
}

/** What ACM says of one order, and may not of another. */
const refusals = [
  'ValidationException',
  'InvalidParameterException',
  'InvalidDomainValidationOptionsException',
  'LimitExceededException',
]

/** Has a listener that was just made show what is issued for its names; what it has no room for is told by the next step. */
export async function showIssued(
  parts: AwsParts,
  { listener, names }: ListenerNames,
  control: Pick<Control, 'signal'>,
): Promise<void> {
  if (names.length === 0) return
  const places = [{ listener, names, shown: new Set<string>() }]
  for (const own of await ownCertificates(parts, control))
    if (own.state === 'issued' && names.includes(own.name)) await show({ parts, places }, own, control)
}

/** Where it is asked for, and nowhere else. */
async function show(
  { parts, places }: Pick<World, 'parts' | 'places'>,
  own: OwnCertificate,
  control: Pick<Control, 'signal'>,
): Promise<NameState> {
  const { arn, name } = own
  for (const { listener, names, shown } of places) {
    if (names.includes(name) === shown.has(arn)) continue
    if (shown.has(arn)) {
      await hide(parts, listener, arn, control)
      continue
    }
    try {
      await parts.clients.balancers.addListenerCertificates(
        { ListenerArn: listener, Certificates: [{ CertificateArn: arn }] },
        { abortSignal: control.signal },
      )
    } catch (error) {
      if (!isAwsError(error, 'TooManyCertificatesException', 'TooManyCertificates')) throw error
      const kind = listener.includes(':listener/net/') ? 'Network' : 'Application'
      const reason = `the balancer shows no further certificate: raise the quota "Certificates per ${kind} Load Balancer" in the console of Service Quotas`
      return { name, state: 'failed', record: null, reason }
    }
  }
  if (places.some(({ names }) => names.includes(name)))
    return { name, state: 'shown', record: null, reason: null }
  return { name, state: 'waiting', record: null, reason: 'its port is not open yet' }
}

async function hide(
  { clients }: AwsParts,
  ListenerArn: string,
  CertificateArn: string,
  { signal }: Pick<Control, 'signal'>,
): Promise<void> {
  const input = { ListenerArn, Certificates: [{ CertificateArn }] }
  await clients.balancers.removeListenerCertificates(input, { abortSignal: signal })
}

/** What is still shown somewhere goes the next time. */
async function dropOne(
  { parts, places, zones, hidden, kept }: World,
  { arn, proof }: OwnCertificate,
  control: Pick<Control, 'signal'>,
): Promise<void> {
  for (const { listener, shown } of places) if (shown.has(arn)) await hide(parts, listener, arn, control)
  if (!(await deleteCertificate(parts, arn, control)) || proof === null) return
  // The record of a name is that of all below it too (D), by which the other one is renewed.
  const others = kept.flatMap((other) => (other.arn === arn ? [] : (other.proof ?? [])))
  if (others.some(({ name }) => name === proof.name)) return
  const zone = zoneOf(proof.name, zones)
  if (zone === null) return
  await dropProof(parts, zone, proof, control)
  if (hidden) await dropHidden(parts, { place: hidden, proof, others }, control)
}
