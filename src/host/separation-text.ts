import type { Rules } from '../domain/rules.ts'
import type { ReachGroup, Separation } from '../domain/separation.ts'
import { enclosingCidr, formatIpv4 } from '../lib/cidr.ts'

/** What keeps those apart that are on one bridge. */
export type Apart = Pick<Rules, 'separations' | 'answering'>

/**
 * A service begins no TCP connection with an app that is linked to it. By the first packet, since not every kernel follows
 * connections on a bridge.
 * @param to the range that is kept from it; all that is on the bridge when absent
 */
export function answersChain(
  answering: string[],
  { priority, refusal, to }: { priority: string; refusal: string; to?: string },
): string[] {
  if (answering.length === 0) return []
  const packets = `${from(answering)} ${to === undefined ? '' : `ip daddr ${to} `}tcp flags & (syn | ack) == syn`
  return [
    `  chain answers { type filter hook forward priority ${priority}`,
    `    ${packets} ${refusal}`,
    '  }',
  ]
}

/**
 * The chains that keep copies apart for whom the machine passes a packet on: what the kernel routes, which is all that
 * was led by a name, and what a bridge passes on by itself where the rules see it. They are refused at once.
 */
export function routedChains(separations: Separation[]): string[] {
  if (separations.length === 0) return []
  const refusal = ['meta l4proto tcp reject with tcp reset', 'reject with icmp type admin-prohibited']
  const enclosed = separations.filter(({ enclosed: addresses }) => addresses.length > 0)
  const outward = enclosed.map(
    ({ enclosed: addresses, subnet }) => `${from(addresses)} ip daddr != ${subnet}`,
  )
  // The router asks them, and they answer; what they ask the machine themselves is a way out.
  const inward = enclosed.map(({ enclosed: addresses }) => `${from(addresses)} ct direction original`)
  return [
    ...separations.flatMap((separation, at) => reachChains(separation, at, refusal)),
    '  chain apart { type filter hook forward priority filter - 1',
    ...separations.map(entryOf),
    ...outward.flatMap((packets) => refusal.map((rule) => `    ${packets} ${rule}`)),
    '  }',
    ...(inward.length === 0
      ? []
      : [
          '  chain enclosed { type filter hook input priority filter - 1',
          ...inward.flatMap((packets) => refusal.map((rule) => `    ${packets} ${rule}`)),
          '  }',
        ]),
  ]
}

/**
 * The same for what a bridge passes on by itself, whatever the rules see of it: the copies of an app are on one. It can
 * refuse nothing, only drop. It comes after those who do, where they see it.
 */
export function bridgedTable(table: string, { separations, answering }: Apart): string[] {
  return [
    `table ${table} {`,
    ...answersChain(answering, { priority: '0', refusal: 'drop' }),
    ...(separations.length > 0 ? apartChains(separations) : []),
    '}',
  ]
}

function apartChains(separations: Separation[]): string[] {
  return [
    ...separations.flatMap((separation, at) => reachChains(separation, at, ['drop'])),
    '  chain apart { type filter hook forward priority 0',
    ...separations.map(entryOf),
    // It would be for all of them.
    ...separations.map(({ subnet }) => `    ip saddr ${subnet} meta pkttype { broadcast, multicast } drop`),
    '  }',
  ]
}

function entryOf({ subnet }: Separation, at: number): string {
  return `    ip saddr ${subnet} ip daddr ${subnet} goto apart_${at}`
}

/** Who sends decides to whom; one that no group has sends to nobody. */
function reachChains({ subnet, groups }: Separation, at: number, refusal: string[]): string[] {
  const refused = refusal.map((rule) => `    ${rule}`)
  const named = groups.map((group, index) => ({ ...group, chain: `reach_${at}_${index}` }))
  const targets = named.flatMap(({ chain, members }) =>
    members.map((address) => `${address} : goto ${chain}`),
  )
  return [
    ...named.flatMap((group) => [`  chain ${group.chain} {`, allowed(group), ...refused, '  }']),
    `  chain apart_${at} {`,
    `    ip daddr ${gatewayOf(subnet)} accept`,
    `    ip saddr vmap { ${targets.join(', ')} }`,
    ...refused,
    '  }',
  ]
}

function allowed({ reached }: ReachGroup): string {
  return `    ip daddr { ${reached.join(', ')} } accept`
}

function from(addresses: string[]): string {
  return `ip saddr { ${addresses.join(', ')} }`
}

function gatewayOf(subnet: string): string {
  return formatIpv4((enclosingCidr(subnet)?.base ?? 0) + 1)
}
