import type { Rules } from '../domain/rules.ts'
import type { UdpPort } from '../domain/udp-port.ts'
import type { Lead } from '../domain/virtual-name.ts'
import { formatCidr } from '../lib/cidr.ts'
import { writeFileAtomically } from '../lib/atomic-file.ts'
import { readTextIfThere } from '../lib/files.ts'
import { readRoutes } from '../lib/routes.ts'
import { createBridgeTable, type BridgeTable } from './bridge-table.ts'
import { installationPaths, type MachineInstallation } from './installation.ts'
import { tryRoute } from './ip-route.ts'
import { absentTable, listTable, nft } from './nft.ts'
import { openWay } from './udp-way.ts'
import { loopbackChain, udpChains } from './udp-text.ts'
import { answersChain, routedChains } from './separation-text.ts'

type Signalled = { signal: AbortSignal }

const deadlineMs = 10_000
/** Where Linux says whether what a bridge passes on is seen by the rules for IP, and so the replies of a copy. */
const bridgeSetting = '/proc/sys/net/bridge/bridge-nf-call-iptables'

/** The rack's own table of names in the kernel, which holds without the daemon; nobody else writes it. */
export interface NameTable {
  /** Every name has its address there, and nothing else does. */
  range: { cidr: string; subnetBits: number }
  /** Makes the table as it should be, at once and whole; connections that are open stay where they are. @throws host-failed */
  apply(rules: Rules, control: Signalled): Promise<void>
  /** Lets what the rules lead to these ports come through to the copies, and nothing where there are none. Safe to repeat. @throws host-failed */
  open(ports: UdpPort[], control: Signalled): Promise<void>
  /** Whether rules can come between copies that are on one bridge. @throws host-failed */
  keepsApart(control: Signalled): Promise<boolean>
  /** Whether the table is as `apply` made it last; false before. @throws host-failed */
  isWhole(control: Signalled): Promise<boolean>
  /** Keeps the rules for the next boot, where they are others than before. */
  writeDown(): Promise<void>
  /** Whether there is one, whoever made it. @throws host-failed */
  isThere(control: Signalled): Promise<boolean>
  /** Takes it away, if it is there. @throws host-failed */
  remove(control: Signalled): Promise<void>
}

/** The names' range of a rack: kept for tests of networks (RFC 2544), so that nobody has a host there. */
export const defaultNameRange = '198.18.0.0/20'

interface Place {
  /** With its family. */
  table: string
  /** The subnets of the rack's apps. */
  pool: string
  range: string
}

/** @param installation whose directory keeps the rules for the next boot, where it has one */
export function createNameTable({
  name,
  pool,
  names,
  directory,
}: Pick<MachineInstallation, 'name' | 'pool' | 'names'> & { directory?: string }): NameTable {
  const table = `ip rack-${name}`
  const cidr = names?.cidr ?? defaultNameRange
  const place: Place = { table, pool: pool.cidr, range: cidr }
  const bridge = createBridgeTable(`bridge rack-${name}`)
  let text: string | null = null
  let writtenDown: string | null = null
  /** What the kernel tells of the rules that were made last: asked at once, and waited for by who compares. */
  let applied: Promise<string | null> = Promise.resolve(null)
  return {
    range: { cidr, subnetBits: Number(cidr.split('/')[1]) },
    async apply(wanted, control) {
      applied = Promise.resolve(null)
      // What no rule takes, as when somebody has flushed them all, finds no way out of the machine; else the rules alone keep it so.
      if (!(await isClosed(cidr))) await tryRoute(['replace', 'unreachable', cidr], control)
      const bridged = await bridge.lines(wanted, control)
      text = [tableText(place, wanted, await bridgesAreSeen()), ...bridged].join('\n')
      await nft(['--file', '-'], control, text)
      const asking = { signal: AbortSignal.timeout(deadlineMs) }
      applied = stateOf(place, bridge, asking).catch(() => null)
    },
    open: async (ports, control) => await openWay(name, pool.cidr, ports, control),
    keepsApart: async (control) => (await bridgesAreSeen()) || (await bridge.isPossible(control)),
    async isWhole(control) {
      const before = await applied
      return before !== null && before === (await stateOf(place, bridge, control))
    },
    async writeDown() {
      if (directory === undefined || text === null || text === writtenDown) return
      const newest = text
      await writeFileAtomically(installationPaths(directory).names, newest)
      writtenDown = newest
    },
    isThere: async (control) => (await listTable(table, control)) !== '',
    async remove(control) {
      applied = Promise.resolve(null)
      const bridged = await bridge.lines({ separations: [], answering: [] }, control)
      await openWay(name, pool.cidr, [], control)
      await nft(['--file', '-'], control, [...absentTable(table), ...bridged].join('\n'))
      await tryRoute(['delete', 'unreachable', cidr], control)
    },
  }
}

/** The table as text. @param seesReplies whether the replies inside one bridge pass the rules, which turns them back */
export function tableText(
  { table, pool, range }: Place,
  { names, udpPorts, separations, answering }: Rules,
  seesReplies: boolean,
): string {
  const own = `ip saddr ${pool}`
  const targets = names.map(({ address }) => `${address} : goto ${chainOf(address)}`)
  const held = names.filter(({ isHeld }) => isHeld).map(({ address }) => address)
  return [
    ...absentTable(table),
    `table ${table} {`,
    ...names.flatMap(({ address, leads }) => [
      `  chain ${chainOf(address)} {`,
      ...leads.flatMap(ruleOf),
      '  }',
    ]),
    // Before Docker's own.
    '  chain names { type nat hook prerouting priority dstnat - 1',
    ...(targets.length > 0 ? [`    ${own} ip daddr vmap { ${targets.join(', ')} }`] : []),
    '  }',
    // What is still for the range now has no copy, or is another app's.
    '  chain refused { type filter hook prerouting priority filter',
    ...(held.length > 0 ? [`    ${own} ip daddr { ${held.join(', ')} } drop`] : []),
    `    ${own} ip daddr ${range} meta l4proto tcp reject with tcp reset`,
    `    ${own} ip daddr ${range} reject with icmp type port-unreachable`,
    '  }',
    ...udpChains(udpPorts, pool),
    ...loopbackChain(pool),
    ...routedChains(separations),
    ...answersChain(answering, {
      priority: 'filter - 1',
      refusal: 'reject with tcp reset',
      to: pool,
    }),
    // A router says that the copy is nearer than itself: a caller that believed it would stay with that copy.
    '  chain redirects { type filter hook output priority filter',
    `    ip daddr ${pool} icmp type redirect drop`,
    '  }',
    ...(seesReplies ? [] : masqueradeChain(own, range)),
    '}',
    '',
  ].join('\n')
}

/** Where a bridge passes replies on by itself, they come back through the gateway: copies see its address as the caller's. */
function masqueradeChain(own: string, range: string): string[] {
  return [
    '  chain replies { type nat hook postrouting priority srcnat - 1',
    `    ${own} ct original ip daddr ${range} masquerade`,
    '  }',
  ]
}

function ruleOf({ sources, copies }: Lead): string[] {
  if (copies.length === 0 || sources.length === 0) return []
  const callers = `    ip saddr { ${sources.join(', ')} }`
  if (copies.length === 1) return [`${callers} dnat to ${copies[0]}`]
  const numbered = copies.map((address, at) => `${at} : ${address}`).join(', ')
  return [`${callers} dnat to numgen inc mod ${copies.length} map { ${numbered} }`]
}

function chainOf(address: string): string {
  return `to_${address.replaceAll('.', '_')}`
}

/** All that the names stand on, as the kernel tells of it. */
async function stateOf({ table, range }: Place, bridge: BridgeTable, control: Signalled): Promise<string> {
  const facts = [listTable(table, control), isClosed(range), bridgesAreSeen(), bridge.list(control)]
  return JSON.stringify(await Promise.all(facts))
}

async function isClosed(range: string): Promise<boolean> {
  return (await readRoutes()).map(formatCidr).includes(range)
}

async function bridgesAreSeen(): Promise<boolean> {
  return (await readTextIfThere(bridgeSetting))?.trim() === '1'
}
