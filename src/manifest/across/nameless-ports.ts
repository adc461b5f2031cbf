import type { ProcessType } from '../../domain/manifest.ts'
import { isWeb, type Port } from '../../domain/port.ts'
import type { Advice } from '../problems.ts'
import type { Node } from '../syntax/tree.ts'
import type { Across } from './across.ts'

/** Ports of programs that speak something else than HTTP, on either side of the colon: nobody means a web page by them. */
const otherProtocols = new Set([
  21, 22, 23, 25, 53, 88, 110, 119, 123, 139, 143, 161, 179, 389, 445, 465, 514, 554, 587, 636, 853, 873, 989,
  990, 993, 995, 1080, 1194, 1433, 1521, 1883, 1935, 2049, 2181, 2222, 2375, 2376, 3306, 3389, 4222, 4369,
  5060, 5061, 5222, 5269, 5432, 5433, 5671, 5672, 5900, 6379, 6380, 6443, 6667, 7687, 8883, 9042, 9092, 9093,
  9300, 9418, 11211, 25565, 25672, 26379, 27017, 27018, 28015, 29092, 33060, 51820, 61613, 61616,
])

/** Ports on which programs listen that serve web pages, by their own choice or by that of their frameworks. */
const usuallyWeb = new Set([
  80, 81, 1337, 2368, 3000, 3001, 3002, 3003, 3030, 3333, 4000, 4200, 4567, 5000, 5001, 5173, 5601, 5678,
  7860, 8000, 8001, 8008, 8069, 8080, 8081, 8082, 8083, 8088, 8090, 8096, 8123, 8787, 8888, 8889, 9000, 9090,
  9091, 9292, 9999,
])

/**
 * Says of a process whose only ports are raw tcp, and may well be web pages, that no host name leads to them, with the two
 * ways to have one.
 */
export function tellOfNamelessPorts({ processes, problems }: Across): void {
  for (const { type, ports, labelledPorts } of processes) {
    if (type.ports.some(({ external, protocol }) => external !== null && isWeb(protocol))) continue
    // Of a range nobody means web pages.
    const isAlone = (at: Node) => ports.filter((other) => other.at === at).length === 1
    const found = ports.find(
      ({ at, port }) => isAlone(at) && mayBeNameless(port) && !labelledPorts.has(port.external ?? 0),
    )
    if (!found) continue
    const { external, container } = found.port
    if (external !== null) type.nameless = { container, external }
    problems.warn(
      found.at,
      `port ${found.port.external} of the rack is tcp without a host name, and no other app can have it`,
      remedyFor(found.port),
    )
  }
}

/** Whether nothing about a port says that it is no web page. */
function mayBeNameless({ external, container, protocol, isLocal }: Port): boolean {
  return (
    external !== null &&
    protocol === 'tcp' &&
    !isLocal &&
    !otherProtocols.has(external) &&
    !otherProtocols.has(container) &&
    !String(container).endsWith('443')
  )
}

/** Ports of a type that are raw although they might be web pages: a label says so, or they are of a range. */
export function meantAsRaw({ ports, nameless }: ProcessType): Set<number> {
  if (ports.some(({ external, protocol }) => external !== null && isWeb(protocol))) return new Set()
  const raw = ports.filter((port) => mayBeNameless(port) && port.external !== nameless?.external)
  return new Set(raw.flatMap(({ external }) => external ?? []))
}

/** The label, rather than another port: for Compose the file says what it said before. */
function remedyFor({ external, container }: Port): Advice {
  const hint =
    `for a web page write "80:${container}", or the label rack.port.${external}.protocol=http: it is then APP.DOMAIN; ` +
    `rack.port.${external}.protocol=tcp says that it is meant. One that answers HTTP is noticed when it is live`
  if (!usuallyWeb.has(container)) return hint
  const name = `rack.port.${external}.protocol`
  return { hint, fix: { change: 'add', under: 'labels', name, value: 'http' } }
}
