import { createServer } from 'node:net'

/** Whether this program could listen there now; false too for a port that it may not have. */
export async function isPortFree(host: string, port: number): Promise<boolean> {
  const { promise, resolve, reject } = Promise.withResolvers<boolean>()
  const server = createServer()
  server.once('error', (error: NodeJS.ErrnoException) =>
    error.code === 'EADDRINUSE' || error.code === 'EACCES' ? resolve(false) : reject(error),
  )
  server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)))
  return await promise
}

/** The first of the ports that is free there, or null. */
export async function firstFreePort(host: string, ports: Iterable<number>): Promise<number | null> {
  for (const port of ports) if (await isPortFree(host, port)) return port
  return null
}
