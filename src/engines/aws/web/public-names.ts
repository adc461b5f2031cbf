import type { Change, HostedZone, ResourceRecordSet } from '@aws-sdk/client-route-53'
import { isAwsError } from '../../../aws/errors.ts'
import { webBalancerPrefix } from '../../../aws/web-balancer.ts'
import type { WebBalancer } from '../../../domain/aws-places.ts'
import type { Control } from '../../../domain/control.ts'
import { RackError } from '../../../domain/error.ts'
import type { Owner } from '../../../domain/owner.ts'
import { publicZones, zoneOf } from '../certificates/public-records.ts'
import { plainName, recordSetsBelow } from '../inside/records.ts'
import type { AwsParts } from '../parts.ts'

/** How long an answer about such a name may be kept, s. */
const lifeSeconds = 60
const mostAttempts = 4

/** Record sets of the public zone by their names, those of other types too. */
export type PublicSets = readonly { name: string; set: ResourceRecordSet }[]

/**
 * Names of an app below the rack's domain, which the record of the domain would lead to the rack's own balancer: a record
 * of its own goes before a wildcard, and hides it from what is below (RFC 4592), so that has one too. Pure.
 */
export function publicNamesOf(
  { domain, domains }: Pick<AwsParts, 'domain' | 'domains'>,
  owner: Owner,
): string[] {
  if (owner.kind !== 'app') return []
  const own = `${owner.name}.${domain}`
  const given = domains.current().filter(({ app, name }) => app === owner.name && name.endsWith(`.${domain}`))
  return [own, `*.${own}`, ...given.map(({ name }) => name)]
}

/** A public zone of the account, and what is in it of the rack's domain and below. */
export interface PublicPlace {
  zone: HostedZone
  sets: PublicSets
}

/** Where the account answers for names below the rack's domain; null where it does not. */
export async function findPlace(
  parts: Pick<AwsParts, 'clients' | 'domain'>,
  zones: readonly HostedZone[],
  control: Pick<Control, 'signal'>,
): Promise<PublicPlace | null> {
  const { domain } = parts
  if (isPrivate(domain)) return null
  const zone = zoneOf(domain, zones)
  if (zone === null) return null
  const sets = await Array.fromAsync(recordSetsBelow(parts, { zone: zone.Id!, domain }, control))
  return isGivenAway({ zone, sets }, domain) ? null : { zone, sets }
}

/** Whether a zone leaves a domain below its own to others' servers. Pure. */
export function isGivenAway(
  { zone, sets }: { zone: Pick<HostedZone, 'Name'>; sets: PublicSets },
  domain: string,
): boolean {
  return plainName(zone.Name) !== domain && sets.some(({ name, set }) => name === domain && set.Type === 'NS')
}

interface WantedNames {
  /** By name, the host of a further balancer. */
  wanted: ReadonlyMap<string, string>
  /** All of the rack's, its own first. */
  balancers: readonly WebBalancer[]
  /** Whether a name that is not wanted is to go. */
  isOurs: (name: string) => boolean
}

/** What is to be changed of a zone, and names that somebody else leads elsewhere. Pure. */
export function nameChanges(
  rack: string,
  sets: PublicSets,
  { wanted, balancers, isOurs }: WantedNames,
): { changes: Change[]; foreign: string[] } {
  const targetOf = (set: ResourceRecordSet) =>
    set.Type === 'CNAME' ? plainName(set.ResourceRecords?.[0]?.Value) : ''
  const [first, ...others] = balancers.map(({ host }) => host.toLowerCase())
  // One that is there no more is known by its name.
  const isFurther = (target: string) => others.includes(target) || target.startsWith(webBalancerPrefix(rack))
  const changes: Change[] = []
  const foreign: string[] = []
  for (const [name, host] of wanted) {
    const targets = sets.filter((each) => each.name === name).map(({ set }) => targetOf(set))
    if (targets.includes(host.toLowerCase())) continue
    if (targets.every((target) => target === first || isFurther(target)))
      changes.push({ Action: 'UPSERT', ResourceRecordSet: leadingRecord(name, host) })
    else foreign.push(name)
  }
  for (const { name, set } of sets) {
    // Who leads a name to the rack's own balancer has put that record himself.
    if (isFurther(targetOf(set)) && !wanted.has(name) && isOurs(name))
      changes.push({ Action: 'DELETE', ResourceRecordSet: set })
  }
  return { changes, foreign }
}

export function leadingRecord(name: string, host: string): ResourceRecordSet {
  return { Name: name, Type: 'CNAME', TTL: lifeSeconds, ResourceRecords: [{ Value: host }] }
}

/** Why names of an app cannot be led to a further balancer; null where they can. */
export async function nameShortage(
  parts: AwsParts,
  { owner, balancers }: { owner: Owner } & Pick<WantedNames, 'balancers'>,
  control: Pick<Control, 'signal'>,
): Promise<RackError | null> {
  const place = await findPlace(parts, await publicZones(parts, control), control)
  if (!place) return noZone(parts)
  // Of a balancer that is not there yet nothing leads to it.
  const wanted = new Map(publicNamesOf(parts, owner).map((name) => [name, 'none.invalid']))
  const { foreign } = nameChanges(parts.rack, place.sets, { wanted, balancers, isOurs: () => false })
  return foreign.length === 0 ? null : foreignNames(foreign)
}

/** Of a rack that was given none: no server of the public answers for it, whatever is in an account (ICANN, 2024-07-29). */
const isPrivate = (domain: string) => domain.endsWith('.internal')

function noZone({ domain, places }: Pick<AwsParts, 'domain' | 'places'>): RackError {
  const other = isPrivate(domain)
    ? 'make another rack that has a domain of yours: rack install aws --domain DOMAIN'
    : `have the names of ${domain} in the account: aws route53 create-hosted-zone --name ${domain} --caller-reference rack, put its records there too (*.${domain} CNAME ${places.balancer.host}), and let its domain above name the servers of that zone`
  return new RackError(
    'capacity',
    `the load balancer of the rack has no room for the app: a further one needs records of its own for the app below ${domain}, and the account ${places.account} has no public zone of Route 53 that answers for them`,
    { hint: `Take away what nobody asks for (rack apps delete APP), or ${other}` },
  )
}

function foreignNames(names: readonly string[]): RackError {
  return new RackError(
    'conflict',
    `somebody leads ${names.join(', ')} elsewhere in the public zone of the account, and the app needs the name for its load balancer`,
    { hint: 'Take that record away in Route 53, and type it again', details: { names } },
  )
}

/**
 * Has names led so. Safe to repeat; what is so is not written.
 * @param wantedOf asked once the zone was read, so that it is newer
 * @returns by what its spread is asked for; null where nothing was to be done
 * @throws capacity where the account has no zone for wanted names; conflict for names that somebody leads elsewhere, once
 * all others are led
 */
export async function bringPublicNames(
  parts: AwsParts,
  wantedOf: () => Promise<WantedNames>,
  control: Pick<Control, 'signal'>,
): Promise<string | null> {
  for (let attempt = 1; ; attempt++) {
    const place = await findPlace(parts, await publicZones(parts, control), control)
    const names = await wantedOf()
    if (place === null && names.wanted.size > 0) throw noZone(parts)
    const { changes, foreign } = nameChanges(parts.rack, place?.sets ?? [], names)
    let made: string | null = null
    try {
      if (place && changes.length > 0) made = await change(parts, place.zone, changes, control)
    } catch (error) {
      // Another hand has taken away what was to go, or put something there.
      if (attempt === mostAttempts || !isAwsError(error, 'InvalidChangeBatch')) throw error
      continue
    }
    if (foreign.length > 0) throw foreignNames(foreign)
    return made
  }
}

async function change(
  { clients }: Pick<AwsParts, 'clients'>,
  zone: HostedZone,
  Changes: Change[],
  { signal }: Pick<Control, 'signal'>,
): Promise<string> {
  const input = { HostedZoneId: zone.Id, ChangeBatch: { Changes } }
  const { ChangeInfo } = await clients.zones.changeResourceRecordSets(input, { abortSignal: signal })
  return ChangeInfo!.Id!
}
