import { createSocket } from 'node:dgram'
import { createServer, isIPv6 } from 'node:net'

/** Whether this program could listen there now; false too for a port that it may not have. */
export async function isPortFree(host: string, port: number): Promise<boolean> {
  const { promise, resolve, reject } = Promise.withResolvers<boolean>()
  const server = createServer()
  server.once('error', (error: NodeJS.ErrnoException) => (isTaken(error) ? resolve(false) : reject(error)))
  server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)))
  return await promise
}

/** The same of a port for datagrams. */
export async function isUdpPortFree(host: string, port: number): Promise<boolean> {
  const { promise, resolve, reject } = Promise.withResolvers<boolean>()
  const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4')
  socket.once('error', (error: NodeJS.ErrnoException) => {
    socket.close()
    if (isTaken(error)) resolve(false)
    else reject(error)
  })
  socket.bind({ address: host, port, exclusive: true }, () => socket.close(() => resolve(true)))
  return await promise
}

function isTaken({ code }: NodeJS.ErrnoException): boolean {
  return code === 'EADDRINUSE' || code === 'EACCES'
}

/** The first of the ports that is free there, or null. */
export async function firstFreePort(host: string, ports: Iterable<number>): Promise<number | null> {
  for (const port of ports) if (await isPortFree(host, port)) return port
  return null
}
