import { isWeb, type Port } from '../../../domain/port.ts'
import type { HttpRoute, WebWay } from '../../../router/route-table.ts'

/** A port of a process that the web comes to, and where it comes in. */
export interface WebPort extends Pick<HttpRoute, 'at' | 'isTlsOnly'> {
  port: Port
}

/**
 * Host names tell web processes apart, not the ports of one: of each way in the first port is the one. What serves http alone is
 * served by TLS too; who comes by http to what is opened for https alone is sent there.
 */
export function webPorts(ports: Port[]): WebPort[] {
  const opened = ports.filter(({ external, protocol }) => external !== null && isWeb(protocol))
  const first = new Map<WebWay, Port>()
  for (const port of opened) {
    const way = wayOf(port)
    if (!first.has(way)) first.set(way, port)
  }
  const byContainer = Map.groupBy(first, ([, port]) => port.container)
  return Array.from(byContainer.values(), (entries): WebPort => {
    const [[, port]] = entries as [[WebWay, Port]]
    const at = entries.map(([way]) => way)
    if (at.includes('http') && ![...first.keys()].some((way) => way !== 'http')) return { port }
    if (at.includes('https') && !first.has('http')) return { port, at: ['http', ...at], isTlsOnly: true }
    if (at.includes('http') && !first.has('https')) return { port, at: [...at, 'https'] }
    return { port, at }
  })
}

function wayOf({ external, protocol }: Port): WebWay {
  if (protocol === 'http') return 'http'
  return external === 443 ? 'https' : (external ?? 'https')
}
