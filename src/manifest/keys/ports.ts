import { defaultProtocol, type Port } from '../../domain/port.ts'
import type { Problems } from '../problems.ts'
import { childOf, shown, shownPart, type Node } from '../syntax/tree.ts'
import { itemsOf, numberTextOf, textOf } from './values/values.ts'

/** More openings than any process has; bounds a range. */
const mostPorts = 256
const highest = 65_535
const anyAddress = new Set(['0.0.0.0', '[::]'])

/** A port with the place that declares it. */
export interface PlacedPort {
  port: Port
  at: Node
}

interface Range {
  first: number
  last: number
}

/** Reads every form of `ports:`; what a rack cannot open is an error with the reason. */
export function portsOf(node: Node | undefined, problems: Problems): PlacedPort[] {
  const ports: PlacedPort[] = []
  for (const item of itemsOf(node, problems)) {
    const found = item.kind === 'map' ? longForm(item, problems) : shortForm(item, problems)
    ports.push(...found)
    if (ports.length <= mostPorts) continue
    problems.error(item, `a process opens at most ${mostPorts} ports`)
    return ports.slice(0, mostPorts)
  }
  return withoutDuplicates(ports, problems)
}

/** Container ports of `expose:`. */
export function exposeOf(node: Node | undefined, problems: Problems): number[] {
  const exposed = new Set<number>()
  for (const item of itemsOf(node, problems)) {
    const [numbers = '', protocol] = (numberTextOf(item, problems) ?? '').split('/')
    const range = rangeOf(numbers, item, problems)
    if (!range) continue
    if (protocol !== undefined && protocol.toLowerCase() !== 'tcp') {
      problems.warn(item, `${shown(item)} is reachable inside the app without being named`)
      continue
    }
    for (let port = range.first; port <= range.last && exposed.size < mostPorts; port += 1) exposed.add(port)
  }
  return [...exposed]
}

function shortForm(node: Node, problems: Problems): PlacedPort[] {
  if (node.kind !== 'scalar') {
    problems.error(node, `expected a port, but found ${shown(node)}`)
    return []
  }
  const text = numberTextOf(node, problems)?.trim() ?? ''
  const [numbers = '', protocol = 'tcp', ...more] = text.split('/')
  if (more.length > 0) return reject(node, problems)
  if (!isServed(protocol, node, problems)) return []
  const parts = withoutAnyAddress(splitAddress(numbers))
  if (parts.length > 2) {
    problems.error(node, `${shown(node)} binds an address of the host, which belongs to the rack`, () =>
      shownPart(node, text) === JSON.stringify(text) ? adviceFor(parts) : undefined,
    )
    return []
  }
  if (/^\d+:[0-5]?\d$/.test(text) && !node.isQuoted) {
    problems.warn(node, `${shown(node)} is a number to the base 60 for older readers`, `quote it: "${text}"`)
  }
  const container = rangeOf(parts.at(-1) ?? '', node, problems)
  if (parts.length === 1) return container ? expand(null, container, node, problems) : []
  const external = rangeOf(parts[0] ?? '', node, problems)
  return external && container ? expand(external, container, node, problems) : []
}

/** `[::1]:80:80` has its address in brackets. */
function splitAddress(numbers: string): string[] {
  const bracket = numbers.startsWith('[') ? numbers.indexOf(']:') : -1
  if (bracket < 0) return numbers.split(':')
  return [numbers.slice(0, bracket + 1), ...numbers.slice(bracket + 2).split(':')]
}

/** To bind every address of the host is what the router does anyway. */
function withoutAnyAddress(parts: string[]): string[] {
  const [address = '', external = ''] = parts
  return parts.length === 3 && external !== '' && anyAddress.has(address) ? parts.slice(1) : parts
}

function adviceFor(parts: string[]): string {
  const [container = '', external = ''] = [parts.at(-1), parts.at(-2)]
  return `write "${container}" to reach it inside the app only, or "${external || container}:${container}" to open it`
}

function longForm(node: Node, problems: Problems): PlacedPort[] {
  const target = childOf(node, 'target')
  if (target === undefined) {
    problems.error(node, 'a port needs `target`, the port that the process listens on')
    return []
  }
  const protocol = childOf(node, 'protocol')
  if (!isServed(textOf(protocol, problems) ?? 'tcp', protocol ?? node, problems)) return []
  const container = rangeOf(numberTextOf(target, problems) ?? '', target, problems)
  const published = childOf(node, 'published')
  const text = numberTextOf(published, problems)
  if (published === undefined || text === null || text === '') {
    return container ? expand(null, container, target, problems) : []
  }
  const external = rangeOf(text, published, problems)
  return external && container ? expand(external, container, published, problems) : []
}

function isServed(protocol: string, at: Node, problems: Problems): boolean {
  if (protocol.toLowerCase() === 'tcp') return true
  const isKnown = ['udp', 'sctp'].includes(protocol.toLowerCase())
  const message = isKnown
    ? `${protocol} is refused: this version serves http and tcp`
    : `${shownPart(at, protocol)} is not a protocol`
  problems.error(at, message, isKnown ? 'remove the port' : 'write `/tcp`, or nothing')
  return false
}

function rangeOf(text: string, at: Node, problems: Problems): Range | null {
  const match = /^(\d{1,6})(?:-(\d{1,6}))?$/.exec(text)
  if (!match) {
    reject(at, problems)
    return null
  }
  const first = Number(match[1])
  const last = match[2] === undefined ? first : Number(match[2])
  if (first >= 1 && last <= highest && first <= last) return { first, last }
  if (first > last) problems.error(at, `the range ${shown(at)} runs backwards`, 'name the lower port first')
  else problems.error(at, `${shown(at)} is not a port from 1 to ${highest}`)
  return null
}

function reject(at: Node, problems: Problems): [] {
  problems.error(
    at,
    `${shown(at)} is not a port`,
    'write "80:5000" (listen on 80, the process on 5000) or 5000',
  )
  return []
}

function expand(external: Range | null, container: Range, at: Node, problems: Problems): PlacedPort[] {
  const size = container.last - container.first + 1
  if (external && external.last - external.first + 1 !== size) {
    problems.error(
      at,
      `the two ranges of ${shown(at)} differ in size`,
      'write as many external ports as ports of the process',
    )
    return []
  }
  if (size > mostPorts) {
    problems.error(at, `a process opens at most ${mostPorts} ports`)
    return []
  }
  return Array.from({ length: size }, (_, index) => {
    const listens = external ? external.first + index : null
    const protocol = listens === null ? 'tcp' : defaultProtocol(listens)
    return {
      port: { external: listens, container: container.first + index, protocol, proxy: false, secure: false },
      at,
    }
  })
}

function withoutDuplicates(ports: PlacedPort[], problems: Problems): PlacedPort[] {
  const seen = new Map<string, number>()
  return ports.filter(({ port: { external, container }, at }) => {
    const key = external === null ? `internal ${container}` : `external ${external}`
    const before = seen.get(key)
    seen.set(key, container)
    if (before === undefined) return true
    if (before === container) problems.warn(at, `the port ${external ?? container} is named twice`)
    else problems.error(at, `the port ${external} leads to ${before} and to ${container}`, 'keep one of them')
    return false
  })
}
