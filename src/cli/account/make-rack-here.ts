import { hostname } from 'node:os'
import { makeRackStack } from '../../account/make-stacks.ts'
import { placesOf } from '../../account/places.ts'
import { ensureToolImage } from '../../account/tool-image.ts'
import type { AwsPlaces } from '../../domain/aws-places.ts'
import { describeResources } from '../../domain/describe-resources.ts'
import { apiSocketPath } from '../../host/api-socket.ts'
import type { AwsInstallation } from '../../host/installation.ts'
import { makeInstallation, removeInstallation } from '../../host/make-installation.ts'
import { crontabLine, hasSystemd } from '../../host/start-at-boot.ts'
import { keepRack, startInstalled } from '../install-rack.ts'
import { apiUrl, readStatus, waitUntilReady } from '../machine-status.ts'
import type { Session } from '../session.ts'
import type { AccountOptions } from './account-options.ts'
import { markInstalled, type Making } from './making.ts'

/** The rest of a rack whose daemon runs on this machine. */
export async function makeRackHere(making: Making): Promise<number> {
  const { session, wanted, undo, control } = making
  const { world, output, isJson } = session
  const places = await withTool(making)
  const installation = installationOf(wanted, places)
  const token = await makeInstallation(installation, world.env)
  undo.defer(() => removeInstallation(installation))
  await markInstalled(making, places.bucket, { host: hostname(), directory: installation.directory })
  await keepRack(session, installation, token, undo)
  await startInstalled(session, installation, undo, control.signal)
  control.signal.throwIfAborted()
  undo.move()
  making.unwatch()
  const isReady = await waitUntilReady(session, installation, { token })
  if (isJson) output.json(await readStatus(session, installation))
  else if (isReady) await printInstalled(session, installation)
  else
    output.say(
      output.colors.say.yellow(`${wanted.name} is made, and not up: rack doctor --rack ${wanted.name}`),
    )
  return isReady ? 0 : 1
}

/** What prepares tasks is put into the repository that the stacks have made, and the stacks are told of it. */
async function withTool({ account, wanted, base, control }: Making): Promise<AwsPlaces> {
  const { stacks } = wanted
  const { clients } = account
  await makeRackStack(account, stacks, base, control)
  const tool = await ensureToolImage({ clients, repository: `rack/${stacks.rack}` }, control)
  // Where the daemon is outside the account, so are its builds.
  const images = { tool, builder: null }
  return placesOf({ base, rack: await makeRackStack(account, { ...stacks, images }, base, control) })
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
  output.data(apiUrl(installation))
  sayInstalled({ output }, installation)
  if (await hasSystemd())
    output.say('  boot     systemd starts the daemon, by the profile or the role that daemon.env leads to')
  else {
    const line = await crontabLine(installation, world.program)
    output.say(`  boot     add this line to the crontab (crontab -e):\n           ${line}`)
  }
  output.say('next: rack deploy, in a directory with a docker-compose.yml')
}

/** What a new rack is, and how its apps are reached. */
export function sayInstalled(
  { output }: Pick<Session, 'output'>,
  { name, domain, total, places }: Pick<AwsInstallation, 'name' | 'domain' | 'total' | 'places'>,
): void {
  const { host, listeners } = places.balancer
  const scheme = listeners.https === null ? 'http' : 'https'
  output.say(output.colors.say.green(`${name} is up`))
  output.say(`  account  ${places.account} in ${places.region}`)
  output.say(`  apps     ${scheme}://<app>.${domain}, once the record *.${domain} leads there: CNAME ${host}`)
  output.say(`  room     ${describeResources(total)}`)
}
