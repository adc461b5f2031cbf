import { isWeb, type Port } from './port.ts'

/** An external port, and of which process it is. */
export interface Opening {
  type: string
  port: Port
}

/**
 * Openings for udp beside one for tcp of the same number: outside, where all processes of an app are together, or inside
 * one of them. Openings of the web are other ones outside. Pure.
 */
export function udpBesideTcp<T extends Opening>(openings: readonly T[]): { opening: T; number: number }[] {
  const opened = openings.filter(({ port: { external, isLocal } }) => external !== null && !isLocal)
  return opened.flatMap((opening) => {
    const { type, port } = opening
    if (port.protocol !== 'udp') return []
    const others = opened.filter((other) => other.port.protocol !== 'udp')
    const outside = others.some(
      (other) => other.port.external === port.external && !isWeb(other.port.protocol),
    )
    if (outside && port.external !== null) return [{ opening, number: port.external }]
    const inside = others.some((other) => other.type === type && other.port.container === port.container)
    return inside ? [{ opening, number: port.container }] : []
  })
}
