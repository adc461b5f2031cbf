import type { EngineFeatures } from '../../domain/features.ts'
import { defaultProtocol, type Port, type PortProtocol } from '../../domain/port.ts'
import { itemRemoval } from '../fix/fix.ts'
import { isThere } from '../lacks.ts'
import type { Problems } from '../problems.ts'
import { childOf, shown, shownPart, type Node } from '../syntax/tree.ts'
import { itemsOf, numberTextOf, textOf } from './values/values.ts'

/** More openings than any process has; bounds a range. */
const mostPorts = 256
const highest = 65_535
/** To bind every address of the host is what the router does anyway. */
const anyAddress = new Set(['', '0.0.0.0', '::'])
const loopback = /^(127\.\d+\.\d+\.\d+|::1|localhost)$/

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
export function portsOf(node: Node | undefined, features: EngineFeatures, problems: Problems): PlacedPort[] {
  const ports: PlacedPort[] = []
  for (const item of itemsOf(node, problems)) {
    const found =
      item.kind === 'map' ? longForm(item, features, problems) : shortForm(item, features, problems)
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

function shortForm(node: Node, features: EngineFeatures, problems: Problems): PlacedPort[] {
  if (node.kind !== 'scalar') {
    problems.error(node, `expected a port, but found ${shown(node)}`)
    return []
  }
  const text = numberTextOf(node, problems)?.trim() ?? ''
  const [numbers = '', word = 'tcp', ...more] = text.split('/')
  if (more.length > 0) return reject(node, problems)
  if (/(^|:)443:443$/.test(numbers) && isHttpThree(word, node, problems)) return []
  const protocol = transportOf(word, node, problems)
  if (protocol === null) return []
  const { address, parts } = splitAddress(numbers)
  const reach = reachOf(address, { at: node, parts, text }, features, problems)
  if (reach === null) return []
  if (/^\d+:[0-5]?\d$/.test(text) && !node.isQuoted) {
    const quoted = `"${text}"`
    const remedy = { hint: `quote it: ${quoted}`, fix: { change: 'write', text: quoted } } as const
    problems.warn(node, `${shown(node)} is a number to the base 60 for older readers`, remedy)
  }
  const container = rangeOf(parts.at(-1) ?? '', node, problems)
  const isInside = parts.length === 1 || parts[0] === '' || reach === 'inside'
  if (isInside) return container ? expand({ external: null, container, protocol }, node, problems) : []
  const external = rangeOf(parts[0] ?? '', node, problems)
  const isLocal = reach === 'machine'
  return external && container ? expand({ external, container, protocol, isLocal }, node, problems) : []
}

/** `127.0.0.1:80:80` and `[::1]:80:80`; the address is empty where none is written. */
function splitAddress(numbers: string): { address: string; parts: string[] } {
  const bracket = /^\[([^\]]*)\]:(.*)$/.exec(numbers)
  if (bracket) return { address: bracket[1] ?? '', parts: (bracket[2] ?? '').split(':') }
  const parts = numbers.split(':')
  return { address: parts.slice(0, -2).join(':'), parts: parts.slice(-2) }
}

/** A port of the file, for what is said of its address. */
interface Written {
  at: Node
  parts: string[]
  text: string
}

/** Who reaches a port that is bound to an address of the host; null after saying that nobody does. */
function reachOf(
  address: string,
  { at, parts, text }: Written,
  { localPorts }: EngineFeatures,
  problems: Problems,
): 'all' | 'machine' | 'inside' | null {
  if (anyAddress.has(address)) return 'all'
  if (loopback.test(address))
    return isThere(localPorts, at, `${shown(at)}, for the machine of the rack alone,`, problems)
      ? 'machine'
      : 'inside'
  problems.error(at, `${shown(at)} binds an address of the host, which belongs to the rack`, () =>
    shownPart(at, text) === JSON.stringify(text) ? adviceFor(parts) : undefined,
  )
  return null
}

function adviceFor(parts: string[]): string {
  const [container = '', external = ''] = [parts.at(-1), parts.at(-2)]
  const open = `${external || container}:${container}`
  return (
    `write "${container}" to reach it inside the app only, "127.0.0.1:${open}" for the machine of the rack alone, ` +
    `or "${open}" to open it`
  )
}

function longForm(node: Node, features: EngineFeatures, problems: Problems): PlacedPort[] {
  const target = childOf(node, 'target')
  if (target === undefined) {
    problems.error(node, 'a port needs `target`, the port that the process listens on')
    return []
  }
  const word = childOf(node, 'protocol')
  const isWebAlone = ['published', 'target'].every(
    (key) => numberTextOf(childOf(node, key), problems) === '443',
  )
  if (isWebAlone && isHttpThree(textOf(word, problems) ?? 'tcp', node, problems)) return []
  const protocol = transportOf(textOf(word, problems) ?? 'tcp', word ?? node, problems)
  if (protocol === null) return []
  const container = rangeOf(numberTextOf(target, problems) ?? '', target, problems)
  const published = childOf(node, 'published')
  const text = numberTextOf(published, problems)
  if (published === undefined || text === null || text === '') {
    return container ? expand({ external: null, container, protocol }, target, problems) : []
  }
  const address = childOf(node, 'host_ip')
  const written = { at: address ?? node, parts: [text, String(container?.first ?? '')], text: '' }
  const reach = reachOf(textOf(address, problems) ?? '', written, features, problems)
  const external = reach === null ? null : rangeOf(text, published, problems)
  if (!external || !container) return []
  if (reach === 'inside') return expand({ external: null, container, protocol }, target, problems)
  return expand({ external, container, protocol, isLocal: reach === 'machine' }, published, problems)
}

/** Whether it is the port of HTTP/3, without which browsers take HTTP/2: leaving it closed is told, and changes nothing else. */
function isHttpThree(word: string, at: Node, problems: Problems): boolean {
  if (word.toLowerCase() !== 'udp') return false
  problems.warn(
    at,
    '443/udp stays closed, so browsers use HTTP/2 instead of HTTP/3: TLS of 443 ends at the rack',
  )
  return true
}

/** What is under the protocol of a port; null after saying why it is not served. */
function transportOf(text: string, at: Node, problems: Problems): 'tcp' | 'udp' | null {
  const word = text.toLowerCase()
  if (word === 'tcp' || word === 'udp') return word
  const isKnown = word === 'sctp'
  const message = isKnown
    ? `${text} is refused: a rack serves http, tcp, tls and udp`
    : `${shownPart(at, text)} is not a protocol`
  problems.error(at, message, isKnown ? 'remove the port' : 'write `/tcp`, or nothing')
  return null
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

/** The ports of one item, before they are told apart. */
interface Ports {
  external: Range | null
  container: Range
  protocol: 'tcp' | 'udp'
  isLocal?: boolean
}

function expand(
  { external, container, protocol: transport, isLocal = false }: Ports,
  at: Node,
  problems: Problems,
): PlacedPort[] {
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
    // What only the machine reaches is not told apart by a host name.
    const isPlain = listens === null || isLocal || transport === 'udp'
    const protocol: PortProtocol = isPlain ? transport : defaultProtocol(listens)
    return {
      port: {
        external: listens,
        container: container.first + index,
        protocol,
        proxy: false,
        secure: false,
        ...(isLocal && { isLocal }),
      },
      at,
    }
  })
}

function withoutDuplicates(ports: PlacedPort[], problems: Problems): PlacedPort[] {
  const seen = new Map<string, number>()
  return ports.filter(({ port: { external, container, protocol }, at }) => {
    const number = external === null ? `internal ${container}` : `external ${external}`
    const key = protocol === 'udp' ? `${number} udp` : number
    const before = seen.get(key)
    seen.set(key, container)
    if (before === undefined) return true
    const isAlone = ports.filter((other) => other.at === at).length === 1
    if (before === container)
      problems.warn(
        at,
        `the port ${external ?? container} is named twice`,
        isAlone ? { fix: itemRemoval } : undefined,
      )
    else problems.error(at, `the port ${external} leads to ${before} and to ${container}`, 'keep one of them')
    return false
  })
}
