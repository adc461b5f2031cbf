import { hostAndPort } from '../lib/host-and-port.ts'

/** Who serves besides the account that started HAProxy. */
interface Account {
  runAs?: { user: string; group: string } | undefined
}

/** How a frontend says where it listens. */
export const bindLine = (address: string, port: number): string => `bind ${hostAndPort(address, port)}`

/** The socket on which the worker that serves takes over from one that a reload has replaced. */
export function handoverBind(socket: string, { runAs }: Account): string {
  const owner = runAs ? ` user ${runAs.user} group ${runAs.group}` : ''
  return `bind ${socket} mode 600${owner} accept-proxy`
}

/** Without a connection that is kept: the worker that serves now may be replaced too. */
export const handoverTo = (socket: string) => `${socket} send-proxy-v2 pool-max-conn 0`
