import { isIPv4 } from 'node:net'
import type { Change, ResourceRecordSet } from '@aws-sdk/client-route-53'
import { AwsError } from '../fake-service.ts'

/** All records of one name and type; names are in lower case and end in a dot. */
export interface RecordSet {
  name: string
  type: RecordType
  ttl: number
  values: string[]
}

export type RecordType = 'A' | 'CNAME' | 'NS' | 'SOA'

/** By `keyOf`. Never changed, only replaced. */
export type RecordSets = ReadonlyMap<string, RecordSet>

/** Records of a batch (D). */
const mostChanges = 1000

export const keyOf = ({ name, type }: Pick<RecordSet, 'name' | 'type'>) => `${name} ${type}`

/** A name as it is kept: a `*` in front by its number, as listings tell it too (D). */
export function absolute(name: string): string {
  const plain = name.toLowerCase().replace(/^\*\./, '\\052.')
  return plain.endsWith('.') ? plain : `${plain}.`
}

/**
 * What a zone holds after a batch of changes, which is carried out whole or not at all (D).
 * @throws AwsError InvalidChangeBatch with every reason
 */
export function applyBatch(before: RecordSets, changes: Change[], zone: string): RecordSets {
  if (changes.length === 0 || changes.length > mostChanges)
    throw invalidBatch([`A batch has 1 to ${mostChanges} changes`])
  const problems: string[] = []
  const after = new Map(before)
  const done = new Set<string>()
  for (const { Action, ResourceRecordSet } of changes) {
    const found = readRecordSet(ResourceRecordSet!, zone)
    if (typeof found === 'string') {
      problems.push(found)
      continue
    }
    const what = `${Action} ${found.type} ${found.name}`
    // The same twice is refused, rather than done twice (D).
    if (done.has(what))
      problems.push(`The request contains an invalid set of changes for a resource record set '${what}'`)
    done.add(what)
    const problem = Action === 'DELETE' ? remove(after, found) : put(after, found, { Action, zone })
    if (problem) problems.push(problem)
  }
  if (problems.length > 0) throw invalidBatch(problems)
  return after
}

const invalidBatch = (messages: string[]) =>
  new AwsError('InvalidChangeBatch', `[${messages.join(', ')}]`, 400, { messages })

/** A record set as it is kept, or why it cannot be. */
function readRecordSet(given: ResourceRecordSet, zone: string): RecordSet | string {
  const { Name, Type, TTL, ResourceRecords, ...rest } = given
  const unknown = Object.entries(rest).find(([, value]) => value !== undefined)
  if (unknown) return `the fake account knows no record sets with ${unknown[0]}`
  const name = absolute(Name!)
  if (!/^(\\052\.)?([a-z0-9_-]{1,63}\.)+$/.test(name) || name.length > 255)
    return `FATAL problem: InvalidCharacterString or DomainLabelTooLong in ${Name}`
  if (name !== zone && !name.endsWith(`.${zone}`))
    return `RRSet with DNS name ${name} is not permitted in zone ${zone}`
  if (TTL === undefined || !Number.isInteger(TTL) || TTL < 0)
    return `Invalid request: Missing field 'TTL' in Change with [name=${name}]`
  const values = (ResourceRecords ?? []).map(({ Value }) => Value!)
  if (values.length === 0)
    return `Invalid request: Missing field 'ResourceRecords' in Change with [name=${name}]`
  if (Type !== 'A' && Type !== 'CNAME' && Type !== 'SOA')
    return `the fake account knows no record sets of type ${Type}`
  const isGood = { A: isIPv4, CNAME: isHost, SOA: isAuthority }[Type]
  const bad = values.find((value) => !isGood(value))
  if (bad !== undefined)
    return `Invalid Resource Record: FATAL problem: ${Type} record with the value '${bad}'`
  if (Type !== 'A' && values.length > 1) return `Invalid Resource Record: more than one value of type ${Type}`
  return { name, type: Type, ttl: TTL, values }
}

const isHost = (value: string) => /^([A-Za-z0-9_-]{1,63}\.?)+$/.test(value) && value.length <= 255
const isAuthority = (value: string) => /^\S+ \S+( \d+){5}$/.test(value)

function remove(records: Map<string, RecordSet>, { name, type, ttl, values }: RecordSet): string | null {
  const there = records.get(keyOf({ name, type }))
  const what = `Tried to delete resource record set [name='${name}', type='${type}']`
  if (!there) return `${what} but it was not found`
  // All of it has to be said, TTL and values too (D).
  if (there.ttl !== ttl || there.values.toSorted().join('\n') !== values.toSorted().join('\n')) {
    return `${what} but the values provided do not match the current values`
  }
  if (type === 'SOA') return `A HostedZone must contain exactly one SOA record.`
  records.delete(keyOf({ name, type }))
  return null
}

function put(
  records: Map<string, RecordSet>,
  set: RecordSet,
  { Action, zone }: { Action: string | undefined; zone: string },
): string | null {
  const { name, type } = set
  if (type === 'SOA' && name !== zone) return `A SOA record set is not permitted at ${name} in zone ${zone}`
  if (type === 'CNAME' && name === zone)
    return `RRSet of type CNAME with DNS name ${name} is not permitted at apex in zone ${zone}`
  if (Action === 'CREATE' && records.has(keyOf(set))) {
    return `Tried to create resource record set [name='${name}', type='${type}'] but it already exists`
  }
  // Beside a CNAME there is nothing else (D).
  const others = [...records.values()].filter((other) => other.name === name && other.type !== type)
  if (others.some((other) => type === 'CNAME' || other.type === 'CNAME')) {
    return `RRSet of type ${type} with DNS name ${name} is not permitted as it conflicts with other records with the same DNS name in zone ${zone}`
  }
  records.set(keyOf(set), set)
  return null
}

/**
 * By the labels of names from the last one on, then by type: the order of listings. The dot at the end counts, so that
 * `a-b.test.` and all below it comes before `a.test.` (D).
 */
export function inOrder(records: RecordSets): RecordSet[] {
  return [...records.values()].sort((a, b) => compare(orderOf(a), orderOf(b)))
}

export function orderOf({ name, type = '' }: { name: string; type?: string }): string {
  const labels = name.split('.').filter((label) => label !== '')
  return `${labels.reverse().join('.')}. ${type}`
}

export const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)
