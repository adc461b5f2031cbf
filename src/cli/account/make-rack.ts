import { hostname } from 'node:os'
import { findRack } from '../../account/find-rack.ts'
import { removeInstalledMark, writeInstalledMark } from '../../account/installed-mark.ts'
import { makeStacks } from '../../account/make-stacks.ts'
import { openAccount, type OpenAccount } from '../../account/open-account.ts'
import { placesOf } from '../../account/places.ts'
import { removeStacks } from '../../account/remove-stacks.ts'
import { ensureToolImage } from '../../account/tool-image.ts'
import type { AwsPlaces } from '../../domain/aws-places.ts'
import type { Control } from '../../domain/control.ts'
import { describeResources } from '../../domain/describe-resources.ts'
import { RackError } from '../../domain/error.ts'
import { apiSocketPath } from '../../host/api-socket.ts'
import type { AwsInstallation } from '../../host/installation.ts'
import { makeInstallation, removeInstallation } from '../../host/make-installation.ts'
import { crontabLine, hasSystemd } from '../../host/start-at-boot.ts'
import { keepRack, startInstalled } from '../install-rack.ts'
import { apiUrl, readStatus, waitUntilReady } from '../machine-status.ts'
import type { Session } from '../session.ts'
import type { AccountOptions } from './account-options.ts'
import { watchStacks } from './watch-stacks.ts'

/**
 * Makes the rack in the account, then its daemon here; a new one that fails leaves nothing; of one that went on, what is in the account stays. Gives the
 * exit code: 1 for one that does not come up.
 */
export async function makeRack(session: Session, wanted: AccountOptions): Promise<number> {
  const { output, world, isJson } = session
  const { name, region } = wanted
  const account = openAccount(region, world.env)
  using closing = new DisposableStack()
  closing.defer(() => account.close())
  const left = new RackError('cancelled', 'the install was interrupted', {
    hint: `The account goes on with what it has begun. Type the same again to go on with it; or take it away: rack uninstall --region ${region} --rack ${name} --volumes`,
  })
  await using undo = new AsyncDisposableStack()
  const control = closing.use(watchStacks(session, left))
  const isNew = await checkNotInstalled(account, wanted, control)
  output.say(`making ${name} in ${region}`)
  await makeStacks(account, wanted.stacks, control)
  undo.defer(async () => {
    if (isNew) return await undoStacks(session, account, { wanted, control })
    output.say(`what stood of it in the account stays: rack uninstall --region ${region} --rack ${name}`)
  })
  const places = await withTool(account, wanted, control)
  const installation = installationOf(wanted, places)
  const token = await makeInstallation(installation, world.env)
  undo.defer(() => removeInstallation(installation))
  await markInstalled(account, installation, undo, control)
  await keepRack(session, installation, token, undo)
  await startInstalled(session, installation, undo, control.signal)
  control.signal.throwIfAborted()
  undo.move()
  closing.dispose()
  const isReady = await waitUntilReady(session, installation, { token })
  if (isJson) output.json(await readStatus(session, installation))
  else if (isReady) await printInstalled(session, installation)
  else output.say(output.colors.say.yellow(`${name} is made, and not up: rack doctor --rack ${name}`))
  return isReady ? 0 : 1
}

/** Whether nothing of it is there yet. @throws exists for a rack of the account that was installed to its end */
async function checkNotInstalled(
  account: OpenAccount,
  { name, region }: AccountOptions,
  control: Control,
): Promise<boolean> {
  const found = await findRack(account, name, control)
  if (!found?.mark) return !found?.hasBase
  throw new RackError('exists', `there is a rack "${name}" in ${region} of this account already`, {
    hint: `Its daemon is on ${found.mark.host}. Choose another name: --name NAME`,
  })
}

const markDeadlineMs = 60_000

/** Says that it is installed, before anything is started that would be a second daemon of it; `undo` takes it back. */
async function markInstalled(
  { clients }: OpenAccount,
  { directory, places: { bucket } }: AwsInstallation,
  undo: AsyncDisposableStack,
  control: Control,
): Promise<void> {
  // Also where the call is done, and its answer lost.
  undo.defer(() => removeInstalledMark({ clients, bucket }, { signal: AbortSignal.timeout(markDeadlineMs) }))
  await writeInstalledMark({ clients, bucket }, { host: hostname(), directory }, control)
}

/** What prepares tasks is put into the repository that the stacks have made, and the stacks are told of it. */
async function withTool(
  account: OpenAccount,
  { stacks }: AccountOptions,
  control: Control,
): Promise<AwsPlaces> {
  const repository = `rack/${stacks.rack}`
  const tool = await ensureToolImage({ clients: account.clients, repository }, control)
  // Where the daemon is outside the account, so are its builds.
  return placesOf(await makeStacks(account, { ...stacks, images: { tool, builder: null } }, control))
}

const undoDeadlineMs = 1_800_000

/** Under a signal of its own. An interrupted one goes on where it was, so nothing of it goes. */
async function undoStacks(
  { output }: Session,
  account: OpenAccount,
  { wanted: { name, region }, control }: { wanted: AccountOptions; control: Control },
): Promise<void> {
  if (control.signal.aborted) return
  output.say(`taking away what was made of ${name}`)
  try {
    const undoing = { ...control, signal: AbortSignal.timeout(undoDeadlineMs) }
    await removeStacks(account, { rack: name, data: true }, undoing)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    output.say(output.colors.say.yellow(`not all of it is gone: ${why}`))
    output.say(`  rack uninstall --region ${region} --rack ${name} --volumes`)
  }
}

function installationOf(
  { name, directory, domain, total }: AccountOptions,
  places: AwsPlaces,
): AwsInstallation {
  return {
    engine: 'aws',
    name,
    directory,
    socket: { path: apiSocketPath(directory), group: null },
    domain,
    total,
    places,
    created: new Date().toISOString(),
  }
}

async function printInstalled({ output, world }: Session, installation: AwsInstallation): Promise<void> {
  const { name, domain, total, places } = installation
  const { host, listeners } = places.balancer
  const scheme = listeners.https === null ? 'http' : 'https'
  output.data(apiUrl(installation))
  output.say(output.colors.say.green(`${name} is up`))
  output.say(`  account  ${places.account} in ${places.region}`)
  output.say(`  apps     ${scheme}://<app>.${domain}, once the record *.${domain} leads there: CNAME ${host}`)
  output.say(`  room     ${describeResources(total)}`)
  if (await hasSystemd())
    output.say('  boot     systemd starts the daemon, by the profile or the role that daemon.env leads to')
  else {
    const line = await crontabLine(installation, world.program)
    output.say(`  boot     add this line to the crontab (crontab -e):\n           ${line}`)
  }
  output.say('next: rack deploy, in a directory with a docker-compose.yml')
}
