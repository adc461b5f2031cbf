import { ensureApiCertificate } from '../../account/api-certificate.ts'
import { readApiAccess } from '../../account/api-access.ts'
import { defaultNodeImage, ensureDaemonImage } from '../../account/daemon-image.ts'
import { writeKeptInstallation, type KeptInstallation } from '../../account/kept-installation.ts'
import { leaveToken } from '../../account/left-tokens.ts'
import { findStacks, makeRackStack, type WantedInstallation } from '../../account/make-stacks.ts'
import { placesOf, type Outputs } from '../../account/places.ts'
import { apiHostOf, buildProjectName } from '../../account/templates/inside.ts'
import type { RackImages } from '../../account/templates/rack-template.ts'
import { ensureToolImage } from '../../account/tool-image.ts'
import type { AwsPlaces } from '../../domain/aws-places.ts'
import { RackError } from '../../domain/error.ts'
import { tokenPrefix } from '../../domain/token.ts'
import { freshSecret } from '../../lib/fresh-secret.ts'
import { connectRack } from '../connect-rack.ts'
import { changeRacks, readRacks, withoutRack } from '../racks-file.ts'
import { keepAccountRack, knownInAccount, untilAnswers } from './account-access.ts'
import { tellLastWords } from './last-words.ts'
import { sayInstalled } from './make-rack-here.ts'
import { markInstalled, type Making } from './making.ts'

/** The stack waits for the daemon by itself; what is left is that the balancer has heard of it. */
const answerDeadlineMs = 120_000

/** The rest of a rack whose daemon is a service of the account: nothing of it is on this machine but a line of the racks that are known here. */
export async function makeRackInside(making: Making): Promise<number> {
  const { session, account, wanted, base, undo, control } = making
  const { world, output, isJson } = session
  const { stacks, name } = wanted
  const choices = { ...stacks, apiCertificate: await ensureApiCertificate(account, stacks.rack, control) }
  const first = await firstOutputs(making, choices)
  const images = await makeImages(making)
  const places = placesOf({
    base,
    rack: { ...first, ToolImage: images.tool, BuildProject: buildProjectName(stacks.rack) },
  })
  const token = await leaveOrders(making, places)
  try {
    await makeRackStack(account, { ...choices, images }, base, control)
  } catch (error) {
    if (!control.signal.aborted) await tellLastWords(session, account, stacks.rack)
    throw error
  }
  await markInstalled(making, places.bucket, { inside: true })
  const known = knownInAccount(await readApiAccess(account, stacks.rack, control), { name, token })
  const { current } = readRacks(world.env)
  undo.defer(() => changeRacks(world.env, (racks) => ({ ...withoutRack(racks, name), current })))
  await keepAccountRack(world, known)
  control.signal.throwIfAborted()
  undo.move()
  // It is installed: an interrupt ends the command, and there is nothing to go on with.
  making.unwatch()
  try {
    const client = await connectRack(known, world)
    const { signal } = new AbortController()
    const rack = await untilAnswers(client, { rack: name, deadlineMs: answerDeadlineMs, signal })
    if (isJson) output.json(rack)
    else tellInstalled(making, places, known.url)
    return 0
  } catch (error) {
    if (!(error instanceof RackError)) throw error
    output.say(output.colors.say.yellow(`${name} is made, and not up: ${error.message}`))
    output.say(`  rack doctor --rack ${name}; aws logs tail /rack/${name}/_daemon --region ${wanted.region}`)
    return 1
  }
}

/**
 * The stack is made without a daemon first: its image needs the repository. One of an earlier install that came so far
 * stays as it is until the images are there.
 */
async function firstOutputs(
  { account, wanted, base, control }: Making,
  choices: WantedInstallation,
): Promise<Outputs> {
  const there = (await findStacks(account, wanted.stacks.rack, control))?.rack
  if (there?.['Repository'] && there['StackRole']) return there
  return await makeRackStack(account, choices, base, control)
}

/** They are put into the repository that the stack has made. */
async function makeImages({ account, wanted, control }: Making): Promise<RackImages> {
  const { clients } = account
  const { rack, inside } = wanted.stacks
  const repository = `rack/${rack}`
  const tool = await ensureToolImage({ clients, repository }, control)
  const from = { clients, repository, base: inside?.nodeImage ?? defaultNodeImage }
  const daemon = await ensureDaemonImage(from, control)
  return { tool, builder: daemon, daemon }
}

/** What the daemon reads when it starts, and the hash of the first token. Gives the token, which is kept nowhere else. */
async function leaveOrders({ account, wanted, control }: Making, places: AwsPlaces): Promise<string> {
  const { clients } = account
  const { name, domain, total } = wanted
  const installation: KeptInstallation = {
    version: 1,
    name,
    domain,
    total,
    places,
    created: new Date().toISOString(),
    apiHost: apiHostOf(name),
  }
  const { bucket } = places
  await writeKeptInstallation({ clients, bucket }, installation, control)
  const { text, sha256 } = freshSecret(tokenPrefix)
  await leaveToken({ clients, bucket }, { name: `install-${Date.now()}`, sha256 }, control)
  return text
}

function tellInstalled({ session: { output }, wanted }: Making, places: AwsPlaces, url: string): void {
  const { name, domain, total } = wanted
  output.data(url)
  sayInstalled({ output }, { name, domain, total, places })
  output.say(`  daemon   a service of its own there; from elsewhere: rack login ${url}`)
  output.say('next: rack deploy, in a directory with a docker-compose.yml')
}
