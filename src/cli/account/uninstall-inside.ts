import { heldResources } from '../../account/held-resources.ts'
import { readInstalledMark, removeInstalledMark } from '../../account/installed-mark.ts'
import { readKeptInstallation } from '../../account/kept-installation.ts'
import { removeStacks } from '../../account/remove-stacks.ts'
import { startDaemonService } from '../../account/daemon-service.ts'
import { RackError } from '../../domain/error.ts'
import { confirm } from '../confirm.ts'
import { connectRack } from '../connect-rack.ts'
import { startFollowing } from '../follow.ts'
import type { InsideRack } from '../inside-rack.ts'
import { changeRacks, withoutRack } from '../racks-file.ts'
import { removeApps, removeServices } from '../remove-apps.ts'
import type { Session } from '../session.ts'
import { untilAnswers } from './account-access.ts'
import { inAccountOf, type InsideWork } from './inside.ts'
import { tellKept } from './uninstall-from-account.ts'
import { watchStacks } from './watch-stacks.ts'

/** As long as a stopped daemon may take to be there. */
const answerDeadlineMs = 600_000

/**
 * Takes away a rack whose daemon runs in its account: apps and services by the daemon, then the stacks, with the daemon and
 * its store. What fails can be called again; once the apps are gone the stacks alone are left: `removeLeftStacks`.
 */
export async function uninstallInside(session: Session, known: InsideRack): Promise<void> {
  const { region, rack, id } = known.account
  const volumes = session.options.flag('volumes')
  const left = new RackError('cancelled', `${known.name} is not gone yet`, {
    hint: `The account goes on with what it has begun. Go on: rack uninstall --region ${region} --rack ${rack}`,
  })
  const kept = await inAccountOf(session, known, left, async (inside) => {
    const { account, access, caller, control } = inside
    const what = `its apps and services${volumes ? ' and all of their data' : '; their data stays'}`
    await confirm(
      session,
      `Uninstall ${rack} from the account ${id}, ${region}, as ${caller}, ${what}?`,
      known.name,
    )
    const bucket = { clients: account.clients, bucket: access.bucket }
    const { places } = await readKeptInstallation(bucket, control)
    if (await readInstalledMark(bucket, control)) await removeContents(session, known, inside)
    using watching = watchStacks(session, left)
    await removeInstalledMark(bucket, watching)
    return await removeStacks(account, { rack, data: volumes, held: heldResources(places) }, watching)
  })
  await changeRacks(session.world.env, (racks) => withoutRack(racks, known.name))
  // Its apps' removals were told as records before.
  if (session.isJson) session.output.record({ type: 'result', result: { name: rack, kept } })
  tellKept(session, kept, { name: rack, region, volumes })
}

/** Only its daemon knows what belongs to it: a stopped one is started. */
async function removeContents(
  session: Session,
  known: InsideRack,
  { account, access, control }: InsideWork,
): Promise<void> {
  const volumes = session.options.flag('volumes')
  await startDaemonService(account.clients.ecs, access, control)
  const client = await connectRack(known, session.world)
  await untilAnswers(client, {
    rack: known.name,
    deadlineMs: answerDeadlineMs,
    signal: control.signal,
  })
  using following = await startFollowing(session)
  await removeApps(client, { volumes }, following)
  await removeServices(client, { volumes }, following)
}
