import type { Socket } from 'node:net'

const signature = Buffer.from('0d0a0d0a000d0a515549540a', 'hex')

/** What a network balancer says before the client's first byte: version 2 of the PROXY protocol, TCP over IPv4 (S). */
export function proxyHeader({ remoteAddress, remotePort, localAddress, localPort }: Socket): Buffer {
  const ports = Buffer.alloc(4)
  ports.writeUInt16BE(remotePort ?? 0, 0)
  ports.writeUInt16BE(localPort ?? 0, 2)
  const body = Buffer.concat([bytesOf(remoteAddress), bytesOf(localAddress), ports])
  // Version 2, command PROXY; IPv4, stream; length.
  return Buffer.concat([signature, Buffer.from([0x21, 0x11, 0, body.length]), body])
}

const bytesOf = (address = '0.0.0.0') => Buffer.from(address.replace('::ffff:', '').split('.').map(Number))
