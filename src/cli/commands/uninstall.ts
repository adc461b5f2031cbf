import type { Reply } from '../../client/client-types.ts'
import { stopDaemon } from '../../host/daemon.ts'
import { checkEngine } from '../../host/engine-check.ts'
import { removeFirewall } from '../../host/firewall.ts'
import { closeWayRange } from '../../host/way-range.ts'
import { isOnMachine, type MachineInstallation } from '../../host/installation.ts'
import { removeInstallation } from '../../host/make-installation.ts'
import { stopRouter } from '../../host/router.ts'
import { removeUnits } from '../../host/start-at-boot.ts'
import type { CommandSpec } from '../command-spec.ts'
import { confirm } from '../confirm.ts'
import { connectStarted } from '../connect-started.ts'
import { findInstallation } from '../find-installation.ts'
import { startFollowing } from '../follow.ts'
import { insideRackOf } from '../inside-rack.ts'
import { machineControl } from '../machine-control.ts'
import { changeRacks, withoutRack } from '../racks-file.ts'
import { removeApps, removeServices } from '../remove-apps.ts'
import type { Session } from '../session.ts'

/** `rack uninstall`. */
export const uninstall: CommandSpec = {
  name: 'uninstall',
  summary: 'remove the rack with all of its apps and services from this machine',
  description: [
    'Removes processes, networks, images, the router, the daemon, and the directory with the history of all apps and',
    'the backups of services. Their data (the volumes of apps and services) stays unless --volumes is given.',
    'Docker Engine itself is left alone. Of a rack in an AWS account its stacks go too; without --volumes the bucket, the file',
    'system, the keys and snapshots of the store stay in the account, and are named. --region takes away one of which nothing is',
    'here: whose daemon runs in the account, or what an installation that was given up has left.',
    'Asks first; without a terminal it needs --yes.',
  ].join('\n'),
  examples: [
    'uninstall',
    'uninstall --rack demo --yes --volumes',
    'uninstall --rack production --region eu-west-1',
  ],
  options: [
    { flags: '--volumes', meaning: 'the data of apps and services too' },
    { flags: '-y, --yes', meaning: 'do not ask' },
    { flags: '--dir <directory>', meaning: 'where the rack lies' },
    {
      flags: '--region <region>',
      meaning: 'of a rack of an AWS account of which nothing is here; --rack names it',
    },
  ],
  needs: 'rack',
  async run(session) {
    if (session.options.text('region') !== undefined) {
      const { removeLeftStacks } = await import('../account/remove-left-stacks.ts')
      return await removeLeftStacks(session)
    }
    const inside = insideRackOf(session)
    if (inside) {
      const { uninstallInside } = await import('../account/uninstall-inside.ts')
      return await uninstallInside(session, inside)
    }
    const installation = await findInstallation(session)
    if (!isOnMachine(installation)) {
      const { uninstallFromAccount } = await import('../account/uninstall-from-account.ts')
      return await uninstallFromAccount(session, installation)
    }
    const { name, directory, socketPath } = installation
    const volumes = session.options.flag('volumes')
    const what = `its apps and services${volumes ? ' and all of their data' : '; their data stays'}`
    await confirm(session, `Uninstall ${name}, ${what}?`, name)
    await checkEngine(socketPath)
    using following = await startFollowing(session)
    const client = await connectStarted(session, installation)
    const control = machineControl()
    const rack: Partial<Reply<'getRack'>> = await client.getRack()
    // One that is still being restored changes nothing, and runs nothing either.
    const isHalf = (rack.restoring ?? null) !== null
    if (!isHalf) {
      await removeApps(client, { volumes }, following)
      await removeServices(client, { volumes }, following)
      await client.prune({ body: { buildCache: false, volumes } })
    }
    await removeUnits(name)
    await stopDaemon(directory, control)
    await stopRouter(directory, control)
    await removeFirewall(installation, control)
    await closeWayRange(directory, control)
    if (isHalf) await removeHalf(session, installation, { volumes })
    await removeInstallation(installation)
    await changeRacks(session.world.env, (known) => withoutRack(known, name))
    following.result(null)
    const rest = volumes ? '' : '; the volumes stay (docker volume ls shows them)'
    following.note(`${name} is uninstalled${rest}`)
  },
}

/** What Docker has of a rack whose daemon is stopped. */
async function removeHalf(
  { world }: Session,
  { name: rack, socketPath }: MachineInstallation,
  { volumes }: { volumes: boolean },
): Promise<void> {
  const [restorer, control] = [await world.restorer(), machineControl()]
  const kept = volumes ? [] : (await restorer.objectsOf(socketPath, rack, control)).volumes
  await restorer.removeObjects(socketPath, { rack, keptVolumes: new Set(kept) }, control)
}
