import { readDaemonState } from '../../account/daemon-service.ts'
import { readKeptInstallation } from '../../account/kept-installation.ts'
import { RackError } from '../../domain/error.ts'
import { balancerUrls } from '../../host/installation.ts'
import type { MachineStatus } from '../machine-status.ts'
import { remoteStatus } from '../remote-status.ts'
import type { InsideRack } from '../inside-rack.ts'
import type { Session } from '../session.ts'
import { inAccountOf } from './inside.ts'

/** How a rack inside its account is: asked of itself, and where it does not answer of the account. */
export async function insideStatus(
  session: Session,
  known: InsideRack,
): Promise<Omit<MachineStatus, 'directory'>> {
  const { id, region } = known.account
  try {
    return { ...(await remoteStatus(session)), account: { id, region } }
  } catch (error) {
    if (!(error instanceof RackError) || !/^(unreachable|timeout)$/.test(error.code)) throw error
    return await statusInAccount(session, known, error)
  }
}

/** @throws what the rack was not reached for, where the account tells nothing either */
async function statusInAccount(
  session: Session,
  known: InsideRack,
  unreached: RackError,
): Promise<Omit<MachineStatus, 'directory'>> {
  const { name, url, account: way } = known
  const left = new RackError('cancelled', 'nothing was changed')
  try {
    return await inAccountOf(session, known, left, async ({ account, access, control }) => {
      const state = await readDaemonState(account.clients.ecs, access, control)
      const kept = await readKeptInstallation({ clients: account.clients, bucket: access.bucket }, control)
      if (state?.desired !== 0) {
        session.output.say(unreached.message)
        if (state?.lastEvent) session.output.say(`ECS says of ${access.service}: ${state.lastEvent}`)
      }
      return {
        name,
        status: state?.desired === 0 ? 'stopped' : 'unreachable',
        version: null,
        daemon: { pid: null },
        router: { pid: null, load: null },
        api: url,
        account: { id: way.id, region: way.region },
        ...balancerUrls(kept.places),
        domain: kept.domain,
        apps: null,
        degraded: [],
        unservedPorts: [],
        restoring: null,
        certificateEnds: null,
        engine: null,
      }
    })
  } catch (error) {
    if (!(error instanceof RackError) || error === left) throw error
    session.output.say(`its account does not tell either: ${error.message}`)
    throw unreached
  }
}
