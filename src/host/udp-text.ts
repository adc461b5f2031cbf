import type { UdpPort } from '../domain/udp-port.ts'
import { isIP } from 'node:net'

const anyAddress = new Set(['0.0.0.0', '::'])

/**
 * The chains that lead datagrams to a port of the machine to copies, from outside and from the machine itself. Of a flow
 * that is known the kernel asks no rule again: it stays with its copy for as long as that is there.
 * @param pool where the copies are
 */
export function udpChains(ports: UdpPort[], pool: string): string[] {
  if (ports.length === 0) return []
  const led = ports.flatMap(ruleOf)
  const held = ports.filter(({ copies, isHeld }) => copies.length === 0 && isHeld)
  const zoned = ports.map((port) => `    ${matchOf(port)} ct original zone set ${zone}`)
  return [
    // Whoever has sent to a port before it was open is a new flow there, and is led at once.
    '  chain zoned { type filter hook prerouting priority raw',
    ...zoned,
    '  }',
    '  chain zoned_own { type filter hook output priority raw',
    ...zoned,
    '  }',
    '  chain ports { type nat hook prerouting priority dstnat - 1',
    ...led,
    '  }',
    '  chain own { type nat hook output priority -101',
    ...led,
    '  }',
    // One that nobody serves is never followed: once it is served, whoever has sent before is led too. What is answered
    // to the machine itself, which may have the port for a question of its own, passes.
    '  chain unled { type filter hook prerouting priority filter',
    ...ports.map(
      (port) =>
        `    ${matchOf(port)} ct direction original ct status & dnat == 0 ${held.includes(port) ? 'drop' : unreachable}`,
    ),
    '  }',
    '  chain unled_own { type filter hook output priority filter',
    ...held.map((port) => `    ${matchOf(port)} ct status & dnat == 0 drop`),
    '  }',
    '  chain from_own { type nat hook postrouting priority srcnat - 1',
    `    ip saddr 127.0.0.0/8 ip daddr ${pool} meta l4proto udp masquerade`,
    `    ip saddr ${pool} ip daddr ${pool} meta l4proto udp ct original proto-dst { ${ports.map(({ listenPort }) => listenPort).join(', ')} } ct status & dnat != 0 masquerade`,
    '  }',
  ]
}

/** The address of the machine itself means nothing behind a bridge, and nobody there may use it. @param pool where the copies are */
export function loopbackChain(pool: string): string[] {
  return [
    '  chain loopback { type filter hook prerouting priority raw',
    `    ip saddr ${pool} ip daddr 127.0.0.0/8 drop`,
    '  }',
  ]
}

/** Of the kernel's flows; those to ports that are not open are in zone 0. Any other number would do. */
const zone = 4168
const unreachable = 'reject with icmp type port-unreachable'

function matchOf({ bind, listenPort }: UdpPort): string {
  const to = anyAddress.has(bind) ? 'fib daddr type local' : `ip daddr ${bind}`
  return `${to} udp dport ${listenPort}`
}

function ruleOf(open: UdpPort): string[] {
  const { copies, port, allowedSources } = open
  if (copies.length === 0) return []
  const allowed = allowedSources?.filter((source) => isIP(source.split('/')[0] ?? '') === 4)
  if (allowed?.length === 0) return []
  const from = allowed ? ` ip saddr { ${allowed.join(', ')} }` : ''
  const numbered = copies.map((address, at) => `${at} : ${address}`).join(', ')
  const to = copies.length === 1 ? copies[0] : `numgen inc mod ${copies.length} map { ${numbered} }`
  return [`    ${matchOf(open)}${from} dnat to ${to}:${port}`]
}
