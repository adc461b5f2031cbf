import { heldResources } from '../../account/held-resources.ts'
import { removeInstalledMark } from '../../account/installed-mark.ts'
import type { OpenAccount } from '../../account/open-account.ts'
import { removeStacks } from '../../account/remove-stacks.ts'
import { RackError } from '../../domain/error.ts'
import { stopDaemon } from '../../host/daemon.ts'
import type { AwsInstallation } from '../../host/installation.ts'
import { removeInstallation } from '../../host/make-installation.ts'
import { removeUnits } from '../../host/start-at-boot.ts'
import { confirm } from '../confirm.ts'
import { connectStarted } from '../connect-started.ts'
import { startFollowing } from '../follow.ts'
import { machineControl } from '../machine-control.ts'
import { changeRacks, withoutRack } from '../racks-file.ts'
import { removeApps, removeServices } from '../remove-apps.ts'
import type { Session } from '../session.ts'
import { describeKept, type KeptResource } from './kept-resources.ts'
import { openAsDaemon } from './own-account.ts'
import { watchStacks } from './watch-stacks.ts'

/** Apps and services first, then the stacks, then what is here: what fails can be called again. */
export async function uninstallFromAccount(session: Session, installation: AwsInstallation): Promise<void> {
  const { name, places } = installation
  const volumes = session.options.flag('volumes')
  using own = await openAsDaemon(installation, session.world)
  const { account, caller } = own
  const what = `its apps and services${volumes ? ' and all of their data' : '; their data stays'}`
  const where = `the account ${places.account}, ${places.region}, as ${caller.name}`
  await confirm(session, `Uninstall ${name} from ${where}, ${what}?`, name)
  const kept = await removeAll(session, { installation, account }, { volumes })
  await removeInstallation(installation)
  await changeRacks(session.world.env, (known) => withoutRack(known, name))
  const { output, isJson } = session
  // Its apps' removals were told as records before.
  if (isJson) output.record({ type: 'result', result: { name, kept } })
  tellKept(session, kept, { name, region: places.region, volumes })
}

async function removeAll(
  session: Session,
  { installation, account }: { installation: AwsInstallation; account: OpenAccount },
  { volumes }: { volumes: boolean },
): Promise<KeptResource[]> {
  const { name, directory, places } = installation
  {
    using following = await startFollowing(session)
    const client = await connectStarted(session, installation)
    await removeApps(client, { volumes }, following)
    await removeServices(client, { volumes }, following)
  }
  await removeUnits(name)
  await stopDaemon(directory, machineControl())
  const left = new RackError('cancelled', `${name} is not gone yet`, {
    hint: `The account goes on with what it has begun. Go on: rack uninstall --rack ${name}`,
  })
  using control = watchStacks(session, left)
  await removeInstalledMark({ clients: account.clients, bucket: places.bucket }, control)
  return await removeStacks(account, { rack: name, data: volumes, held: heldResources(places) }, control)
}

/** Says what is still there, and how it goes. */
export function tellKept(
  { output }: Session,
  kept: readonly KeptResource[],
  { name, region, volumes }: { name: string; region: string; volumes: boolean },
): void {
  output.say(output.colors.say.green(`${name} is uninstalled`))
  if (kept.length === 0) return
  output.say('what stays in the account:')
  for (const line of describeKept(kept, region, volumes)) output.say(`  ${line}`)
}
