import type { Client } from '../../client/client-types.ts'
import { RackError } from '../../domain/error.ts'
import { startDaemon, stopDaemon } from '../../host/daemon.ts'
import { checkEngine } from '../../host/engine-check.ts'
import type { Installation } from '../../host/installation.ts'
import { daemonEnvironment, removeInstallation } from '../../host/make-installation.ts'
import { stopRouter } from '../../host/router-process.ts'
import { removeUnits } from '../../host/start-at-boot.ts'
import type { CommandSpec } from '../command-spec.ts'
import { confirm } from '../confirm.ts'
import { findInstallation } from '../find-installation.ts'
import { startFollowing, type Following } from '../follow.ts'
import { machineControl } from '../machine-control.ts'
import { connectTo, tokenOf, waitUntilReady } from '../machine-status.ts'
import { changeRacks, withoutRack } from '../racks-file.ts'
import type { Session } from '../session.ts'

/** `rack uninstall`. */
export const uninstall: CommandSpec = {
  name: 'uninstall',
  summary: 'remove the rack and all of its apps from this machine',
  description: [
    'Removes processes, networks, images, the router, the daemon, and the directory with the history of all apps.',
    "The apps' data (their volumes) stays unless --volumes is given. Docker Engine itself is left alone.",
    'Asks first; without a terminal it needs --yes.',
  ].join('\n'),
  examples: ['uninstall', 'uninstall --rack demo --yes --volumes'],
  options: [
    { flags: '--volumes', meaning: "the apps' data too" },
    { flags: '-y, --yes', meaning: 'do not ask' },
    { flags: '--dir <directory>', meaning: 'where the rack lies' },
  ],
  needs: 'rack',
  async run(session) {
    const installation = await findInstallation(session)
    const { name, directory, socketPath } = installation
    const volumes = session.options.flag('volumes')
    const what = volumes ? 'its apps and all of their data' : 'its apps; their data stays'
    await confirm(session, `Uninstall ${name}, ${what}?`, name)
    await checkEngine(socketPath)
    using following = await startFollowing(session)
    const client = await connectStarted(session, installation)
    await removeApps(client, volumes, following)
    await client.prune({ body: { buildCache: false, volumes } })
    const control = machineControl()
    await removeUnits(name)
    await stopDaemon(directory, control)
    await stopRouter(directory, control)
    await removeInstallation(directory)
    await changeRacks(session.world.env, (known) => withoutRack(known, name))
    following.result(null)
    const rest = volumes ? '' : "; the apps' volumes stay (docker volume ls shows them)"
    following.note(`${name} is uninstalled${rest}`)
  },
}

/** A stopped rack is started: only its daemon knows what belongs to it. */
async function connectStarted(session: Session, installation: Installation): Promise<Client> {
  const { world } = session
  const token = tokenOf(world.env, installation)
  if (token === null) {
    throw new RackError('unauthorized', `this command line has no token for ${installation.name}`, {
      hint: `rack login --dir ${installation.directory}`,
    })
  }
  const environment = await daemonEnvironment(installation.directory, world.env)
  await startDaemon(installation, world.program, environment, machineControl())
  await waitUntilReady(session, installation, token)
  return await connectTo(installation, token)
}

async function removeApps(client: Client, volumes: boolean, following: Following): Promise<void> {
  for (const { name: app, locked } of await client.listApps()) {
    if (locked) await client.unlockApp({ params: { app } })
    await endChange(client, app)
    const lines = client.deleteApp({ params: { app }, query: { volumes } })
    await following.follow(lines, { what: `the removal of ${app}`, call: null })
    following.note(`${app} is deleted`)
  }
}

async function endChange(client: Client, app: string): Promise<void> {
  try {
    await client.cancelApp({ params: { app } })
  } catch (error) {
    // Nothing was changing.
    if (!(error instanceof RackError && error.code === 'conflict')) throw error
  }
}
