import { unixPath } from '../lib/unix-url.ts'
import { readNextEnds } from './certificate-ends.ts'
import type { MachineStatus } from './machine-status.ts'
import type { Session } from './session.ts'

/** How a rack is that is not on this machine, or of which no directory is known: by its own word. @throws unreachable */
export async function remoteStatus(session: Session): Promise<Omit<MachineStatus, 'directory'>> {
  const client = await session.connect()
  const rack = await client.getRack()
  const { name, status, version, daemon, router, http, domain, apps, degraded, unservedPorts, engine } = rack
  // A daemon of an earlier version does not say.
  const said: Partial<typeof rack> = rack
  const { https = null, restoring = null } = said
  const certificateEnds = await readNextEnds(client)
  const { url } = session.rack()
  const socket = unixPath(url)
  const way = socket === null ? { api: url } : { socket }
  return {
    name,
    status,
    version,
    daemon,
    router,
    ...way,
    http,
    https,
    domain,
    apps,
    degraded,
    unservedPorts,
    restoring,
    certificateEnds,
    engine,
  }
}
