import type { Port, PortProtocol } from '../../../domain/port.ts'
import type { Problems } from '../../problems.ts'
import type { Node } from '../../syntax/tree.ts'
import { isTrue, type Labels } from './labels.ts'
import type { PlacedPort } from '../ports.ts'

/** Applies `rack.port.N.protocol`, `.proxy` and `.secure`, and refuses what the router of this version does not speak. */
export function withPortLabels(ports: PlacedPort[], { family }: Labels, problems: Problems): Port[] {
  for (const [name, { at }] of family) {
    const number = /^port\.(.+)\.[a-z]+$/.exec(name)?.[1]
    if (number !== undefined) checkNumber(number, at, ports, problems)
  }
  const labelled = ports.map(({ port, at }) => {
    const label = port.external === null ? undefined : family.get(`port.${port.external}.protocol`)
    const protocol = (label?.value.toLowerCase() ?? port.protocol) as PortProtocol
    if (protocol !== 'http' && protocol !== 'tcp') refuseProtocol(protocol, port, label?.at ?? at, problems)
    const isSet = (flag: string) =>
      port.external !== null && isTrue(family.get(`port.${port.external}.${flag}`))
    return { ...port, protocol, proxy: isSet('proxy'), secure: isSet('secure') }
  })
  checkOneWay(labelled, ports, problems)
  return labelled
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
    if (port.external === null) continue
    const other = ways.get(port.container) ?? port
    ways.set(port.container, other)
    if (other.proxy === port.proxy && other.secure === port.secure) continue
    const place = ports[index]?.at
    if (place)
      problems.error(
        place,
        `the ports ${other.external} and ${port.external} lead to ${port.container} in two ways`,
        'give both the same labels .proxy and .secure',
      )
  }
}

function refuseProtocol(protocol: PortProtocol, { external }: Port, at: Node, problems: Problems): void {
  const hint = `write the label rack.port.${external}.protocol=tcp when the process speaks it itself, or remove the port`
  problems.error(
    at,
    `port ${external} is ${protocol}, which is refused: this version serves http and tcp`,
    hint,
  )
}
