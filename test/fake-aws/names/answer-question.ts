import { absolute, keyOf, type RecordType } from './change-batch.ts'
import { codes, types, type DnsRecord, type Question, type Reply } from './dns-message.ts'
import type { Members } from './members.ts'
import type { Zone } from './zone.ts'

/** Addresses of one answer (S). */
const mostAddresses = 8
/** Names that lead to others. */
const mostHops = 8

export interface NameWorld {
  zone: Zone
  members: Members
  /** Addresses of names of the world, written absolute, that the account has made. */
  hosts: ReadonlyMap<string, string>
}

/** What the network's resolver says: names are followed from the one zone into the other (J). */
export function answerQuestion(world: NameWorld, { name, type }: Question): Reply {
  const { zone, members } = world
  const answers: DnsRecord[] = []
  let asked = name
  for (let hop = 0; hop < mostHops; hop++) {
    const found = isWithin(asked, members.zone)
      ? memberRecords(members, asked)
      : isWithin(asked, zone.name)
        ? zoneRecords(zone, asked)
        : hostRecords(world, asked)
    if (!found) return { code: answers.length > 0 ? codes.ok : foreign(asked), answers, authority: [] }
    const { records, isThere } = found
    const authority = [authorityOf(world, asked)]
    if (!isThere) return { code: codes.noName, answers, authority }
    const fitting = records.filter((record) => types[record.type] === type)
    const other = records.find((record) => record.type === 'CNAME')
    if (fitting.length > 0) return { code: codes.ok, answers: [...answers, ...fitting], authority: [] }
    if (!other) return { code: codes.ok, answers, authority }
    answers.push(other)
    asked = other.value
  }
  return { code: codes.failed, answers: [], authority: [] }
}

const isWithin = (name: string, zone: string) => name === zone || name.endsWith(`.${zone}`)

/** There is no way out: a name that could be somewhere is refused, one that can be nowhere is not there. */
function foreign(name: string): number {
  const isNowhere = name.split('.').length <= 2 || name.endsWith('.internal.')
  return isNowhere ? codes.noName : codes.refused
}

function zoneRecords(zone: Zone, name: string): { records: DnsRecord[]; isThere: boolean } {
  const kinds: RecordType[] = ['A', 'CNAME', 'NS', 'SOA']
  const sets = kinds.flatMap((type) => zone.served.get(keyOf({ name, type })) ?? [])
  const records = sets.flatMap(({ type, ttl, values }) =>
    values.map((value) => ({ name, type, ttl, value: type === 'CNAME' ? absolute(value) : value })),
  )
  // A name is there too when only longer ones have records (RFC 8020).
  const isThere = sets.length > 0 || [...zone.served.values()].some((set) => set.name.endsWith(`.${name}`))
  return { records, isThere }
}

/** D: names of RDS are kept for a few seconds, so that another server can take over. */
function hostRecords({ hosts }: NameWorld, name: string): { records: DnsRecord[]; isThere: boolean } | null {
  const value = hosts.get(name)
  return value === undefined ? null : { records: [{ name, type: 'A', ttl: 5, value }], isThere: true }
}

function memberRecords(members: Members, name: string): { records: DnsRecord[]; isThere: boolean } {
  const found = members.addressesOf(name)
  if (!found) return { records: [], isThere: name === members.zone }
  const some = shuffled(found.addresses).slice(0, mostAddresses)
  return { records: some.map((value) => ({ name, type: 'A', ttl: found.ttl, value })), isThere: true }
}

/** Each answer has another order (D). */
function shuffled<T>(items: T[]): T[] {
  return items
    .map((item) => ({ item, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item)
}

/** How long an answer without records may be kept: the lesser of the record's life and its last number (RFC 2308). */
function authorityOf({ zone, members }: Omit<NameWorld, 'hosts'>, name: string): DnsRecord {
  const set = zone.served.get(keyOf({ name: zone.name, type: 'SOA' }))!
  const least = Math.min(set.ttl, Number(set.values[0]!.split(' ').at(-1)))
  const owner = isWithin(name, members.zone) ? members.zone : zone.name
  return { name: owner, type: 'SOA', ttl: least, value: set.values[0]! }
}
