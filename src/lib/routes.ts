import { cidrsOverlap, formatCidr, type Cidr } from './cidr.ts'
import { readTextIfThere } from './files.ts'

/** Networks that this machine reaches other than by its default route; none are known where there is no Linux. */
export async function readRoutes(): Promise<Cidr[]> {
  return parseRoutes((await readTextIfThere('/proc/net/route')) ?? '')
}

/** The interfaces, by name, that lead into a network and not beyond it, also while nobody is there. */
export async function devicesInto(network: Cidr): Promise<string[]> {
  return parseDevices((await readTextIfThere('/proc/net/route')) ?? '', network)
}

/** The ranges of `/proc/net/route`, each once. */
export function parseRoutes(text: string): Cidr[] {
  const ranges = new Map(parseLines(text).map(({ range }) => [formatCidr(range), range]))
  return [...ranges.values()]
}

/** The interfaces of `/proc/net/route` whose ranges lie in a network. */
export function parseDevices(text: string, network: Cidr): string[] {
  const inside = parseLines(text).filter(
    ({ range }) => range.bits >= network.bits && cidrsOverlap(range, network),
  )
  return [...new Set(inside.map(({ device }) => device))]
}

/** Numbers there are hexadecimal, lowest byte first. */
function parseLines(text: string): { device: string; range: Cidr }[] {
  const lines = text.trim().split('\n').slice(1)
  return lines.flatMap((line) => {
    const fields = line.split(/\s+/)
    const [destination, mask] = [fields[1], fields[7]].map((field) => bigEndian(field ?? ''))
    if (destination === undefined || mask === undefined || mask === 0) return []
    const range = { base: destination, bits: mask.toString(2).replaceAll('0', '').length }
    return [{ device: fields[0] ?? '', range }]
  })
}

function bigEndian(hexadecimal: string): number {
  const bytes = hexadecimal.match(/../g) ?? []
  return bytes.reverse().reduce((sum, byte) => sum * 256 + Number.parseInt(byte, 16), 0)
}
