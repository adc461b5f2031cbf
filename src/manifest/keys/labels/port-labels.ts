import type { EngineFeatures } from '../../../domain/features.ts'
import {
  haveSameManners,
  isWeb,
  type Http2,
  type Port,
  type PortManners,
  type PortProtocol,
} from '../../../domain/port.ts'
import { isThere } from '../../lacks.ts'
import type { Problems } from '../../problems.ts'
import type { Node } from '../../syntax/tree.ts'
import { isTrue, type FamilyLabel, type Labels } from './labels.ts'
import type { PlacedPort } from '../ports.ts'

/** Where clients say something before TLS begins, by the usual port of the process. */
const begunInClear = new Map([
  [21, 'FTP'],
  [25, 'SMTP'],
  [110, 'POP3'],
  [143, 'IMAP'],
  [389, 'LDAP'],
  [587, 'SMTP'],
  [1433, 'SQL Server'],
  [3306, 'MySQL'],
  [5222, 'XMPP'],
  [5432, 'PostgreSQL'],
])

/** Applies `rack.port.N.protocol`, `.proxy`, `.secure`, `.upstream` and `.shared`, and refuses what the engine does not speak. */
export function withPortLabels(
  ports: PlacedPort[],
  { family }: Labels,
  features: EngineFeatures,
  problems: Problems,
): Port[] {
  for (const [name, { at }] of family) {
    const number = /^port\.(.+)\.[a-z]+$/.exec(name)?.[1]
    if (number !== undefined) checkNumber(number, at, ports, problems)
  }
  const labelled = ports.map(({ port, at }) => {
    const label = port.external === null ? undefined : family.get(`port.${port.external}.protocol`)
    // A label names a number, and beside an opening for udp that may be one for tcp: the label is about that.
    const protocol = port.protocol === 'udp' ? 'udp' : labelledProtocol(label, port)
    if (label && labelledProtocol(label, port) !== protocol && !hasTcpBeside(port, ports))
      problems.error(label.at, `port ${port.external} is written as udp`, 'remove the label, or `/udp`')
    checkProtocol({ ...port, protocol }, label?.at ?? at, problems)
    if (port.isLocal && isWeb(protocol))
      problems.error(
        label?.at ?? at,
        `port ${port.external} is for the machine of the rack alone, which no host name leads to`,
        'remove the label, or the address: "80:5000" is served by name',
      )
    const known = { ...port, protocol }
    const labelled = {
      ...known,
      ...mannersOf(known, family, ports, problems),
      ...sharingOf(known, family, problems),
    }
    if (speaksTls(known, family, ports)) {
      labelled.secure = true
      problems.warn(
        at,
        `TLS of port ${port.external} ends at the rack, which speaks it to the process again`,
        {
          hint: `rack.port.${port.external}.protocol=tcp passes it on as it is; .secure=false says that the process speaks plain HTTP there`,
          fix: { change: 'add', under: 'labels', name: `rack.port.${port.external}.secure`, value: 'true' },
        },
      )
    }
    checkFlags(labelled, family, features, problems)
    const { tlsPorts } = features
    const isEnded = port.external !== null && protocol === 'tls'
    // Where they are there, nobody need hear by which certificate.
    if (isEnded && tlsPorts !== true && tlsPorts.verdict === 'refused')
      isThere(tlsPorts, label?.at ?? at, `the port ${port.external} of tls`, problems)
    return labelled
  })
  checkOneWay(labelled, ports, problems)
  return labelled
}

/** Whether several apps may have a port. */
function sharingOf(
  { external, protocol }: Port,
  family: Labels['family'],
  problems: Problems,
): { isShared?: true } {
  const label = family.get(`port.${external}.shared`)
  if (external === null || !label || !isTrue(label)) return {}
  if (protocol === 'tls') return { isShared: true }
  // Of the web several apps have a port anyway.
  if (isWeb(protocol)) return {}
  problems.error(
    label.at,
    `port ${external} is ${protocol}, where nothing tells whose a connection is`,
    `write rack.port.${external}.protocol=tls, or remove the label`,
  )
  return {}
}

/** A port like 443 of a process speaks TLS mostly: it is spoken to in that, unless a label says otherwise. */
function speaksTls(
  { external, protocol, container }: Port,
  family: Labels['family'],
  ports: PlacedPort[],
): boolean {
  const isSaid = ['protocol', 'secure', 'upstream'].some((name) => family.has(`port.${external}.${name}`))
  const isAlone =
    ports.filter(({ port }) => port.external !== null && port.container === container).length === 1
  return protocol === 'https' && !isSaid && isAlone && String(container).endsWith('443')
}

/** How the labels want the process to be spoken to. */
function mannersOf(
  port: Port,
  family: Labels['family'],
  ports: PlacedPort[],
  problems: Problems,
): PortManners {
  const { external, protocol } = port
  // Of two openings with one number the label is about that for tcp.
  if (external === null || (protocol === 'udp' && hasTcpBeside(port, ports)))
    return { proxy: false, secure: false }
  const label = (name: string) => family.get(`port.${external}.${name}`)
  const word = label('proxy')?.value.toLowerCase() ?? 'false'
  const proxy = word === 'false' ? false : word === 'v2' ? 'v2' : 'v1'
  const secure = isTrue(label('secure'))
  const upstream = upstreamOf(port, { label: label('upstream'), secure }, problems)
  return { proxy, secure: secure || upstream === 'h2', ...(upstream && { upstream }) }
}

function upstreamOf(
  { external, protocol }: Port,
  { label, secure }: { label: FamilyLabel | undefined; secure: boolean },
  problems: Problems,
): Http2 | null {
  const word = label?.value.toLowerCase() ?? 'http1'
  if (!label || word === 'http1') return null
  const name = `rack.port.${external}`
  if (!isWeb(protocol)) {
    const hint = `write ${name}.protocol=http, or remove the label`
    problems.error(
      label.at,
      `port ${external} is ${protocol}, of which the router passes on the bytes as they are`,
      hint,
    )
  }
  if (word === 'h2c' && secure)
    problems.error(
      label.at,
      `h2c is HTTP/2 without TLS, and ${name}.secure asks for TLS`,
      `write ${name}.upstream=h2`,
    )
  return word === 'h2' ? 'h2' : 'h2c'
}

/** The external ports of which a label says what they speak. */
export function labelledPorts({ family }: Labels): Set<number> {
  const numbers = [...family.keys()].flatMap((name) => /^port\.(\d+)\.protocol$/.exec(name)?.[1] ?? [])
  return new Set(numbers.map(Number))
}

function labelledProtocol(label: FamilyLabel | undefined, port: Port): PortProtocol {
  return (label?.value.toLowerCase() ?? port.protocol) as PortProtocol
}

function hasTcpBeside({ external }: Port, ports: PlacedPort[]): boolean {
  return ports.some(({ port }) => port.external === external && port.protocol !== 'udp')
}

function checkNumber(number: string, at: Node, ports: PlacedPort[], problems: Problems): void {
  if (ports.some(({ port }) => String(port.external) === number)) return
  const external = ports.flatMap(({ port }) => (port.external === null ? [] : [port.external]))
  const hint =
    external.length > 0
      ? `the external ports are: ${external.join(', ')}`
      : 'the process has no external port; write "80:5000"'
  problems.error(at, `the label names the port ${number}, which is not an external port of the process`, hint)
}

/** A process that waits for a PROXY header or for TLS on a port does so for everyone. */
function checkOneWay(labelled: Port[], ports: PlacedPort[], problems: Problems): void {
  const ways = new Map<number, Port>()
  for (const [index, port] of labelled.entries()) {
    if (port.external === null || port.protocol === 'udp') continue
    const other = ways.get(port.container) ?? port
    ways.set(port.container, other)
    if (haveSameManners(other, port)) continue
    const place = ports[index]?.at
    if (place)
      problems.error(
        place,
        `the ports ${other.external} and ${port.external} lead to ${port.container} in two ways`,
        'give both the same labels .proxy, .secure and .upstream',
      )
  }
}

function checkProtocol({ external, protocol, container }: Port, at: Node, problems: Problems): void {
  const clear = protocol === 'tls' ? begunInClear.get(container) : undefined
  if (clear !== undefined)
    problems.warn(
      at,
      `clients of ${clear} begin in clear and ask for TLS then, so they are lost at port ${external}, which begins with TLS`,
      `write rack.port.${external}.protocol=tcp, and let the process speak TLS itself`,
    )
}

/** Whether the engine sends the PROXY protocol, and speaks TLS to the process, on a port of this protocol. */
function checkFlags(
  { external, protocol, proxy, secure }: Port,
  family: Labels['family'],
  { proxyOnHttp, proxyOnTcp, secureOnTcp }: EngineFeatures,
  problems: Problems,
): void {
  const [proxyAt, secureAt] = ['proxy', 'secure'].map((flag) => family.get(`port.${external}.${flag}`)?.at)
  if (proxy && proxyAt && protocol === 'udp')
    problems.error(proxyAt, `port ${external} is udp, which carries no PROXY header`, 'remove the label')
  else if (proxy && proxyAt) {
    const wish = `the PROXY protocol on port ${external}`
    if (isWeb(protocol)) isThere(proxyOnHttp, proxyAt, wish, problems)
    else isThere(proxyOnTcp, proxyAt, wish, problems)
  }
  if (!secure || !secureAt) return
  if (protocol === 'tcp') isThere(secureOnTcp, secureAt, `TLS to the process on port ${external}`, problems)
  if (protocol === 'udp')
    problems.error(secureAt, `port ${external} is udp, which carries no TLS`, 'remove the label')
}
