import { assertOwnStack, isOwnStack } from '../../../aws/own-stack.ts'
import { describeStack } from '../../../aws/stack-state.ts'
import { ensureStack, removeStack } from '../../../aws/stacks.ts'
import type { Control } from '../../../domain/control.ts'
import type { Change } from '../../../domain/engine.ts'
import { RackError } from '../../../domain/error.ts'
import { ownerText, type Owner } from '../../../domain/owner.ts'
import type { Plan } from '../../../domain/plan.ts'
import { waysOf } from '../../../domain/ways.ts'
import { cidrsOverlap, enclosingCidr, formatCidr } from '../../../lib/cidr.ts'
import { keyOf, openPortsTemplate, type OpenPort } from '../definition/ports-template.ts'
import { findRackStacks, type RackStack } from '../look/rack-stacks.ts'
import { awsTags, openPortsPrefix, openPortsStackName, ownerTag, ownerWord, readOwnerWord } from '../names.ts'
import { ownStackOptions, stackTurn } from '../own-stacks.ts'
import type { AwsParts } from '../parts.ts'
import { asRange } from './conditions.ts'

/** Rules of IPv4 of a security group, until the account asks for more (D). */
const mostRules = 60

const everybody = ['0.0.0.0/0']

/**
 * Everybody, where `rack.allow` says nothing else: what the balancer listens on waiting is in none. Ranges of IPv6 are
 * left out: nobody comes by it, since the balancer has addresses of IPv4 alone. Pure.
 */
export function openPortsOf({ processes }: Pick<Plan, 'processes'>): OpenPort[] {
  return distinct(
    processes.flatMap((each) => {
      const ranges = each.routing.allow?.flatMap(wholeRange) ?? everybody
      return waysOf(each).flatMap(({ external, port }) => {
        if (external === null) return []
        const protocol = port.protocol === 'udp' ? ('udp' as const) : ('tcp' as const)
        return ranges.map((range) => ({ protocol, port: external, range }))
      })
    }),
  )
}

/** As AWS writes it: a network by its first address. */
function wholeRange(text: string): string[] {
  const cidr = enclosingCidr(asRange(text))
  return cidr ? [formatCidr(cidr)] : []
}

function distinct(open: OpenPort[]): OpenPort[] {
  const byKey = new Map(open.map((each) => [keyOf(each), each]))
  return [...byKey.values()].toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
}

/**
 * What may be open while a release takes over from another: at ports of both only whom both let in, since either may
 * serve there. Pure.
 */
export function openBetween(before: readonly OpenPort[], next: readonly OpenPort[]): OpenPort[] {
  const both = before.flatMap((one) => next.flatMap((other) => common(one, other)))
  return distinct([...both, ...without(before, next), ...without(next, before)])
}

const isSamePort = (one: OpenPort, other: OpenPort) =>
  one.protocol === other.protocol && one.port === other.port

function common(one: OpenPort, other: OpenPort): OpenPort[] {
  const [a, b] = [enclosingCidr(one.range)!, enclosingCidr(other.range)!]
  if (!isSamePort(one, other) || !cidrsOverlap(a, b)) return []
  // Two that overlap lie one in the other.
  return [a.bits > b.bits ? one : other]
}

/** At ports that the others have not. */
function without(open: readonly OpenPort[], others: readonly OpenPort[]): OpenPort[] {
  return open.filter((each) => !others.some((other) => isSamePort(each, other)))
}

/** Whether anything may be open for an owner. */
export async function hasOpenPorts(
  parts: AwsParts,
  owner: Owner,
  control: Pick<Control, 'signal'>,
): Promise<boolean> {
  const { rack } = parts
  const stack = await describeStack(ownStackOptions(parts), openPortsStackName(rack, owner), control)
  return stack !== null && isOwnStack(rack, stack)
}

/** Has this open, and nothing else of the owner's. Safe to repeat; where all is so already, nothing is changed. */
export async function bringOpenPorts(
  parts: AwsParts,
  owner: Owner,
  open: readonly OpenPort[],
  control: Pick<Control, 'signal'>,
): Promise<void> {
  const { rack, places } = parts
  const options = ownStackOptions(parts)
  const name = openPortsStackName(rack, owner)
  using _turn = await stackTurn(parts, name).acquire(control.signal)
  const there = await describeStack(options, name, control)
  const isAnothers = there !== null && !isOwnStack(rack, there)
  if (open.length === 0) {
    // A stack of nothing there cannot be.
    if (!isAnothers) await removeStack(options, name, control)
    return
  }
  if (there) assertOwnStack(rack, there, 'Deploy the app under another name: --app NAME')
  const tags = awsTags({ rack, owner: ownerTag(owner) })
  await ensureStack(
    options,
    { name, template: openPortsTemplate({ rack, places, owner, open }), tags },
    control,
  )
}

type Opening = Pick<Change, 'plan' | 'live'>

/** @throws capacity, port-taken */
export async function refuseOpening(
  parts: AwsParts,
  change: Opening,
  control: Pick<Control, 'signal'>,
): Promise<void> {
  const lack = await openingShortage(parts, change, control)
  if (lack) throw lack
}

/** Why the ports of a plan cannot all be opened; null where they can. */
export async function openingShortage(
  parts: AwsParts,
  { plan, live }: Opening,
  control: Pick<Control, 'signal'>,
): Promise<RackError | null> {
  const next = openPortsOf(plan)
  if (next.length === 0) return null
  const stacks = await findRackStacks(parts, openPortsPrefix(parts.rack), control)
  const others = stacks.filter(({ word }) => word !== ownerWord(plan.owner))
  return openElsewhere(next, others) ?? crowdedGroup({ before: live ? openPortsOf(live) : [], next }, others)
}

/** Pure. @param others stacks of other owners' ports */
export function openElsewhere(
  wanted: readonly OpenPort[],
  others: readonly Pick<RackStack, 'word' | 'outputs'>[],
): RackError | null {
  for (const { word, outputs } of others) {
    const ports = new Set(outputs['Ports']?.split(',').map(Number))
    const taken = wanted.find(({ port }) => ports.has(port))
    if (!taken) continue
    const holder = ownerText(readOwnerWord(word))
    const hint = `It is closed by the next deploy of ${holder} without it, and when ${holder} is removed.`
    return new RackError('port-taken', `port ${taken.port} is open for ${holder}`, { hint })
  }
  return null
}

/** A stack makes what it is to have before it takes away what it had. Pure. @param others stacks of other owners' ports */
export function crowdedGroup(
  { before, next }: { before: OpenPort[]; next: OpenPort[] },
  others: readonly Pick<RackStack, 'outputs'>[],
): RackError | null {
  const between = openBetween(before, next)
  const count = Math.max(...[before, next].map((each) => distinct([...each, ...between]).length))
  const used = others.reduce((sum, { outputs }) => sum + Number(outputs['Rules'] ?? 0), 0)
  if (used + count <= mostRules) return null
  const message = `the security group of the network balancer has ${used} of ${mostRules} rules, and this app needs ${count} while it changes: one for each port and each range of rack.allow on it`
  return new RackError('capacity', message, {
    hint: 'Name larger ranges in rack.allow, or open fewer ports.',
  })
}
