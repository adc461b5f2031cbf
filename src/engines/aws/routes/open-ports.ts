import { ensureStack, removeStack } from '../../../aws/stacks.ts'
import type { Control } from '../../../domain/control.ts'
import { RackError } from '../../../domain/error.ts'
import { ownerKey, type Owner } from '../../../domain/owner.ts'
import type { Plan } from '../../../domain/plan.ts'
import { waysOf } from '../../../domain/ways.ts'
import { enclosingCidr, formatCidr } from '../../../lib/cidr.ts'
import { createSemaphore } from '../../../lib/semaphore.ts'
import { isSix, keyOf, openPortsTemplate, type OpenPort } from '../definition/ports-template.ts'
import { findRackStacks } from '../look/rack-stacks.ts'
import { awsTags, openPortsPrefix, openPortsStackName, ownerTag, ownerWord } from '../names.ts'
import { ownStackOptions } from '../own-stacks.ts'
import type { AwsParts } from '../parts.ts'
import { asRange } from './conditions.ts'

/** Rules of a security group, those of IPv4 and of IPv6 apart, until the account asks for more (D). */
const mostRules = 60

const everybody = ['0.0.0.0/0']

/** Everybody, where `rack.allow` says nothing else: what the balancer listens on waiting is in none. Pure. */
export function openPortsOf(plans: readonly Pick<Plan, 'processes'>[]): OpenPort[] {
  const found = new Map<string, OpenPort>()
  for (const each of plans.flatMap(({ processes }) => processes)) {
    for (const { external, port } of waysOf(each)) {
      if (external === null) continue
      const protocol = port.protocol === 'udp' ? 'udp' : 'tcp'
      for (const range of each.routing.allow?.map(wholeRange) ?? everybody) {
        const open: OpenPort = { protocol, port: external, range }
        found.set(keyOf(open), open)
      }
    }
  }
  return [...found.values()].toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
}

/** As AWS writes it: a network by its first address. */
function wholeRange(text: string): string {
  const range = asRange(text)
  const cidr = enclosingCidr(range)
  return cidr ? formatCidr(cidr) : range
}

/**
 * Has the ports of these plans open for whom they name, and no other of the owner's. Safe to repeat; where all is so
 * already, nothing is changed.
 */
export async function bringOpenPorts(
  parts: AwsParts,
  owner: Owner,
  plans: readonly Plan[],
  control: Pick<Control, 'signal'>,
): Promise<void> {
  const { rack, places } = parts
  const options = ownStackOptions(parts)
  const name = openPortsStackName(rack, owner)
  const open = openPortsOf(plans)
  using _turn = await turnOf(parts, owner).acquire(control.signal)
  // A stack of nothing there cannot be.
  if (open.length === 0) return void (await removeStack(options, name, control))
  const tags = awsTags({ rack, owner: ownerTag(owner) })
  await ensureStack(
    options,
    { name, template: openPortsTemplate({ rack, places, owner, open }), tags },
    control,
  )
}

function turnOf({ stackTurns }: AwsParts, owner: Owner) {
  const key = `ports of ${ownerKey(owner)}`
  const turn = stackTurns.get(key) ?? createSemaphore(1)
  stackTurns.set(key, turn)
  return turn
}

/** Why the ports of a plan cannot all be opened; null where they can. */
export async function openingShortage(
  parts: AwsParts,
  plan: Plan,
  control: Pick<Control, 'signal'>,
): Promise<RackError | null> {
  const wanted = openPortsOf([plan])
  if (wanted.length === 0) return null
  const stacks = await findRackStacks(parts, openPortsPrefix(parts.rack), control)
  const others = stacks.filter(({ word }) => word !== ownerWord(plan.owner))
  return crowdedGroup(
    wanted,
    others.map(({ outputs }) => outputs),
  )
}

/** Pure. @param others what the stacks of other owners' ports say of themselves */
export function crowdedGroup(
  wanted: readonly OpenPort[],
  others: readonly Record<string, string>[],
): RackError | null {
  const six = wanted.filter(isSix).length
  const kinds = [
    { kind: 'IPv4', count: wanted.length - six, output: 'Rules' },
    { kind: 'IPv6', count: six, output: 'RulesOfIpv6' },
  ]
  for (const { kind, count, output } of kinds) {
    const used = others.reduce((sum, outputs) => sum + Number(outputs[output] ?? 0), 0)
    if (count === 0 || used + count <= mostRules) continue
    const message = `the security group of the network balancer has ${used} of ${mostRules} rules of ${kind}, and this app needs ${count}: one for each port and each range of rack.allow on it`
    return new RackError('capacity', message, {
      hint: 'Name larger ranges in rack.allow, or open fewer ports.',
    })
  }
  return null
}
