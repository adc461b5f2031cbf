import type { UnservedPort } from '../domain/endpoint.ts'
import { findPortHolder } from '../lib/port-holder.ts'
import { bindLine } from './listeners.ts'
import { ownPorts } from './own-ports.ts'
import type { RouteTable } from './route-table.ts'

/** The TCP ports of a table, but that of http, that are not in the configuration, with who has them. */
export async function unservedPorts(table: RouteTable, config: string): Promise<UnservedPort[]> {
  const isMissing = ({ bind, port }: Listener) =>
    !/^[ \n]/.test(config.split(`  ${bindLine(bind, port)}`)[1] ?? '')
  const missing = listenersOf(table).filter(isMissing)
  return await Promise.all(
    missing.map(async ({ app, process: type, port }) => ({
      app,
      process: type,
      port,
      holder: await findPortHolder(port),
    })),
  )
}

type Listener = Omit<UnservedPort, 'holder'> & { bind: string }

function listenersOf(table: RouteTable): Listener[] {
  const { httpBind, httpsPort, entrance } = table
  return [
    ...(httpsPort === undefined ? [] : [{ app: null, process: 'https', bind: httpBind, port: httpsPort }]),
    ...ownPorts(table).map(({ app, type, bind, port }) => ({ app, process: type, bind, port })),
    ...(entrance ? [{ app: null, process: 'shares', bind: entrance.bind, port: entrance.port }] : []),
  ]
}
