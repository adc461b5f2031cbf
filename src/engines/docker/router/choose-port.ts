import { createServer } from 'node:net'
import { RackError } from '../../../domain/error.ts'

export interface PortChoice {
  /** The address on which it must be free, such as `0.0.0.0`. */
  bind: string
  /** The user's own choice. */
  port?: number | undefined
}

/**
 * The port on which a rack serves HTTP: the one asked for, else 80 when it can be had, else 8080.
 *
 * @throws port-taken when the port asked for, or both of the others, are held
 */
export async function choosePort({ bind, port }: PortChoice): Promise<number> {
  for (const candidate of port === undefined ? [80, 8080] : [port]) {
    if (await isPortFree(bind, candidate)) return candidate
  }
  const which = port === undefined ? 'ports 80 and 8080' : `port ${port}`
  throw new RackError(
    'port-taken',
    `${which} of ${bind} cannot be had: held by another program, or not allowed`,
    {
      hint: 'Choose another: --http-port NUMBER',
      details: { bind, port: port ?? null },
    },
  )
}

/** Whether this program could listen there now. */
export async function isPortFree(bind: string, port: number): Promise<boolean> {
  const { promise, resolve, reject } = Promise.withResolvers<boolean>()
  const server = createServer()
  server.once('error', (error: NodeJS.ErrnoException) =>
    error.code === 'EADDRINUSE' || error.code === 'EACCES' ? resolve(false) : reject(error),
  )
  server.listen({ host: bind, port, exclusive: true }, () => server.close(() => resolve(true)))
  return await promise
}
