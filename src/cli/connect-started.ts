import type { Client } from '../client/client-types.ts'
import { RackError } from '../domain/error.ts'
import { startDaemon } from '../host/daemon.ts'
import type { Installation } from '../host/installation.ts'
import { daemonEnvironment } from '../host/make-installation.ts'
import { machineControl } from './machine-control.ts'
import { connectTo, tokenOf, waitUntilReady } from './machine-status.ts'
import type { Session } from './session.ts'

/** A stopped rack is started: only its daemon knows what belongs to it. */
export async function connectStarted(session: Session, installation: Installation): Promise<Client> {
  const { world } = session
  const token = tokenOf(world.env, installation)
  if (token === null) {
    throw new RackError('unauthorized', `this command line has no token for ${installation.name}`, {
      hint: `rack login --dir ${installation.directory}`,
    })
  }
  const environment = await daemonEnvironment(installation.directory, world.env)
  await startDaemon(installation, world.program, environment, machineControl())
  await waitUntilReady(session, installation, { token })
  return await connectTo(installation, token)
}
