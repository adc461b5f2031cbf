import { isDeepStrictEqual } from 'node:util'
import { readChosen } from '../../account/chosen.ts'
import { daemonImageBeside, defaultNodeImage, ensureDaemonImage } from '../../account/daemon-image.ts'
import { readDaemonState, startDaemonService, stopDaemonService } from '../../account/daemon-service.ts'
import { readKeptInstallation, writeKeptInstallation } from '../../account/kept-installation.ts'
import {
  assertNothingLost,
  findStacks,
  makeBaseStack,
  makeRackStack,
  makeStacks,
  planStacks,
  type WantedInstallation,
} from '../../account/make-stacks.ts'
import { placesOf } from '../../account/places.ts'
import type { RackImages } from '../../account/templates/rack-template.ts'
import { ensureToolImage, toolImageBeside } from '../../account/tool-image.ts'
import { removeOldSnapshots, takeSnapshot } from '../../account/update-snapshots.ts'
import type { AwsPlaces } from '../../domain/aws-places.ts'
import type { Control } from '../../domain/control.ts'
import { RackError } from '../../domain/error.ts'
import type { Resources } from '../../domain/rack.ts'
import { confirm } from '../confirm.ts'
import type { InsideRack } from '../inside-rack.ts'
import type { Session } from '../session.ts'
import { untilAnswers } from './account-access.ts'
import { inAccountOf, type InsideWork } from './inside.ts'
import { tellLastWords } from './last-words.ts'
import { readNewChoices, withNewChoices, type NewChoices } from './new-choices.ts'
import { describeUpdate, type PlannedStack } from './show-changes.ts'
import { replaced } from './update-stacks.ts'
import { watchStacks } from './watch-stacks.ts'

/** The stack waits for the new daemon by itself; then the balancer has to hear of it. */
const answerDeadlineMs = 300_000

/**
 * Brings a rack whose daemon runs in its account to this version: its images, its stacks, and so its daemon, which is
 * replaced while the apps run on. What would change is shown and asked for; with `--plan` it is only shown. Safe to repeat.
 * @throws conflict where what holds data would go; usage for a name of `--replace` that nothing bears; cancelled
 */
export async function updateInside(session: Session, known: InsideRack): Promise<void> {
  const { options, output, isJson } = session
  const { name, account: way } = known
  const left = new RackError('cancelled', `${name} is not all of this version yet`, {
    hint: `The account goes on with what it has begun. Go on: rack update --rack ${name}`,
  })
  const choices = readNewChoices(session, way.region)
  await inAccountOf(session, known, left, async (inside) => {
    using control = watchStacks(session, left)
    const work = { ...inside, control }
    const { base, before, wanted, total, isTold, store } = await wantedOf(work, choices)
    const stacks = await planStacks(work.account, wanted, control)
    const isNewTool = wanted.images!.tool !== before.tool
    const isNewDaemon = wanted.images!.daemon !== before.daemon
    const found = { stacks, isNewTool, isNewDaemon, snapshotOf: isNewDaemon ? store : null, total }
    const replace = replaced(session, way.rack, stacks)
    const state = await readDaemonState(work.account.clients.ecs, work.access, control)
    if (!state) output.say(output.colors.say.yellow(`the ECS service of its daemon is gone: it is made anew`))
    if (options.flag('plan')) {
      if (isJson) return output.json({ name, ...found })
      return output.data(describeUpdate(found, way.rack))
    }
    for (const stack of stacks) assertNothingLost({ rack: way.rack, replace }, stack)
    if (
      state &&
      isTold &&
      total === null &&
      !isNewTool &&
      !isNewDaemon &&
      stacks.every(({ changes }) => changes.length === 0)
    ) {
      output.say(`${name} is of this version already`)
      return tellJson(session, name, { stacks: [], snapshot: null })
    }
    output.say(describeUpdate(found, way.rack).trimEnd())
    if (state?.desired === 0) output.say(output.colors.say.yellow(`${name} is stopped: its update starts it`))
    await confirm(session, `Change ${name} in the account ${way.id} so?`, name)
    await putImages(work, base)
    const snapshot = isNewDaemon ? await keepStore(session, work, { store, wanted }) : null
    const hasService = state !== null
    await change(session, work, { wanted: { ...wanted, replace }, total, name, snapshot, hasService })
    await tellUp(session, name, control)
    if (snapshot !== null) await removeOldSnapshots(work.account, store, control)
    tellJson(session, name, { stacks, snapshot })
  })
}

/** Gives the name of the snapshot. */
async function keepStore(
  { output, world }: Session,
  { account, access, control }: InsideWork,
  { store, wanted }: Pick<Wanted, 'store' | 'wanted'>,
): Promise<string> {
  const coming = { rack: access.rack, store, version: world.version, image: wanted.images!.daemon! }
  const snapshot = await takeSnapshot(account, coming, control)
  output.say(`the store as it is now stays as the snapshot ${snapshot}`)
  return snapshot
}

async function tellUp(session: Session, name: string, { signal }: Pick<Control, 'signal'>): Promise<void> {
  const { output, world } = session
  const client = await session.connect()
  const { version } = await untilAnswers(client, { rack: name, deadlineMs: answerDeadlineMs, signal })
  output.say(output.colors.say.green(`${name} is of version ${version}`))
  if (version !== world.version)
    output.say(`this command line is of ${world.version}: rack status --rack ${name}`)
}

interface Change extends Pick<Wanted, 'wanted' | 'total'> {
  /** As the rack is called here. */
  name: string
  /** Of the store, before a new daemon; null where the daemon stays. */
  snapshot: string | null
  /** Whether ECS has the daemon's service. */
  hasService: boolean
}

async function change(
  session: Session,
  work: InsideWork,
  { wanted, total, name, snapshot, hasService }: Change,
): Promise<void> {
  const { account, access, control } = work
  const { output } = session
  try {
    if (!hasService) await withoutDaemon(work, wanted)
    await bringAbout(work, { wanted, total })
    await startDaemonService(account.clients.ecs, access, control)
  } catch (error) {
    if (snapshot !== null && !control.signal.aborted) {
      await tellLastWords(session, account, access.rack)
      output.say(output.colors.say.yellow(wayForward(name, snapshot)))
    }
    throw error
  }
}

/** The store is not taken back with the stack. */
const wayForward = (name: string, snapshot: string) =>
  `where the new daemon has changed the store, the one before does not start any more; forward, with a version that comes up: rack update --rack ${name}; back, by the snapshot ${snapshot}: docs/aws.md, "Back to the version before"`

/** CloudFormation takes a service that somebody else has deleted for there: it makes it anew where it was told to remove it. */
async function withoutDaemon({ account, control }: InsideWork, wanted: WantedInstallation): Promise<void> {
  const { daemon: _later, ...images } = wanted.images!
  const base = await makeBaseStack(account, wanted, control)
  await makeRackStack(account, { ...wanted, images }, base, control)
}

interface Done {
  stacks: PlannedStack[]
  snapshot: string | null
}

function tellJson({ isJson, output, world }: Session, name: string, done: Done): void {
  if (isJson) output.json({ name, version: world.version, ...done })
}

interface Wanted {
  /** What the daemon's image stands on. */
  base: string
  before: RackImages
  wanted: WantedInstallation
  /** What apps may have from now on; null where nothing is said of it. */
  total: Resources | null
  /** The name of its database. */
  store: string
  /** Whether the daemon is told where things are: an update that was interrupted may have left that. */
  isTold: boolean
}

/** As it was chosen, then or now, with the images of this version; none of them is put anywhere. */
async function wantedOf({ account, access, control }: InsideWork, choices: NewChoices): Promise<Wanted> {
  const { rack, bucket } = access
  const found = (await findStacks(account, rack, control))!
  const { rack: outputs } = found
  const { places, domain, ...kept } = await readKeptInstallation(
    { clients: account.clients, bucket },
    control,
  )
  const last = await readChosen(account, rack, control)
  const chosen = await withNewChoices(account, { chosen: last, domain, choices }, control)
  const before = {
    tool: outputs['ToolImage']!,
    builder: null,
    daemon: outputs['DaemonImage'] ?? outputs['ToolImage']!,
  }
  const base = chosen.inside?.nodeImage ?? defaultNodeImage
  const daemon = await daemonImageBeside(before.daemon, { base }, control)
  const images = { tool: await toolImageBeside(before.tool), builder: daemon, daemon }
  return {
    base,
    before,
    wanted: { ...chosen, images, apiCertificate: outputs['ApiCertificate']! },
    total: Object.keys(choices.total).length === 0 ? null : { ...kept.total, ...choices.total },
    store: found.base['Store']!,
    isTold: isDeepStrictEqual(asKept(placesOf(found)), places),
  }
}

/** Into the rack's repository, where the stacks find them. */
async function putImages({ account, access, control }: InsideWork, base: string): Promise<void> {
  const to = { clients: account.clients, repository: `rack/${access.rack}` }
  await ensureToolImage(to, control)
  await ensureDaemonImage({ ...to, base }, control)
}

/** As it comes back from where it is kept. */
const asKept = (places: AwsPlaces) => JSON.parse(JSON.stringify(places)) as AwsPlaces

/** The new daemon reads where things are as it starts: what is known of it by then is written before, the rest after. */
async function bringAbout(
  { account, access, control }: InsideWork,
  { wanted, total }: Pick<Wanted, 'wanted' | 'total'>,
): Promise<void> {
  const kept = { clients: account.clients, bucket: access.bucket }
  const installation = await readKeptInstallation(kept, control)
  const expected = { ...installation.places, toolImage: wanted.images!.tool }
  await writeKeptInstallation(kept, { ...installation, places: expected }, control)
  const outputs = await makeStacks(account, wanted, control).catch(async (error: unknown) => {
    // The daemon from before goes on, with what it was told before. Of an interrupted one the account goes on.
    const signal = AbortSignal.timeout(answerDeadlineMs)
    if (!control.signal.aborted) await writeKeptInstallation(kept, installation, { signal })
    throw error
  })
  const places = placesOf(outputs)
  if (total === null && isDeepStrictEqual(asKept(places), expected)) return
  const now = { ...installation, places, total: total ?? installation.total }
  await writeKeptInstallation(kept, now, control)
  await stopDaemonService(account.clients.ecs, access, {
    signal: control.signal,
    intervalMs: account.intervalMs,
  })
}
