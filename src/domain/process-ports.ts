import type { ProcessType } from './manifest.ts'

/** A connect proves nothing of a port for udp, and a link does not lead there. */
export function tcpPorts({ ports }: ProcessType): number[] {
  return ports.flatMap(({ container, protocol }) => (protocol === 'udp' ? [] : [container]))
}

/** Declared ports first, then `expose:`; the image's EXPOSE only when the file declares none. */
export function internalPorts(type: ProcessType, exposed: string[]): number[] {
  const declared = [...tcpPorts(type), ...type.expose]
  const fromImage = exposed.flatMap((port) => (port.endsWith('/udp') ? [] : [Number.parseInt(port, 10)]))
  return [...new Set(declared.length > 0 ? declared : fromImage)]
}
