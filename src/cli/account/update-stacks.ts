import { isDeepStrictEqual } from 'node:util'
import { readChosen } from '../../account/chosen.ts'
import type { InstallationInput } from '../../account/installation-stacks.ts'
import {
  assertNothingLost,
  findStacks,
  lostChanges,
  makeStacks,
  planStacks,
} from '../../account/make-stacks.ts'
import type { OpenAccount } from '../../account/open-account.ts'
import { placesOf } from '../../account/places.ts'
import { ensureToolImage, toolImageBeside } from '../../account/tool-image.ts'
import type { AwsPlaces } from '../../domain/aws-places.ts'
import type { Control } from '../../domain/control.ts'
import { RackError } from '../../domain/error.ts'
import { writeInstallation, type AwsInstallation } from '../../host/installation.ts'
import { confirm } from '../confirm.ts'
import type { Session } from '../session.ts'
import { openAsDaemon } from './own-account.ts'
import { describeUpdate, type PlannedStack } from './show-changes.ts'
import { watchStacks } from './watch-stacks.ts'

/** What an update of a rack's stacks has found, and done. */
export interface StacksUpdate {
  stacks: PlannedStack[]
  /** Whether the image of what prepares tasks is another one. */
  isNewTool: boolean
  /** As it is now, where it was not so before. */
  installation: AwsInstallation | null
}

/**
 * Brings the stacks of a rack whose daemon is here to this version, once a person has seen what would change and agrees;
 * with `--plan` nothing is changed. What is there afterwards is written to the rack's file; its daemon knows it from its
 * next start on. Safe to repeat.
 * @throws conflict where what holds data would go; usage for a name of `--replace` that nothing bears; cancelled
 */
export async function updateStacks(session: Session, installation: AwsInstallation): Promise<StacksUpdate> {
  const { name } = installation
  using own = await openAsDaemon(installation, session.world)
  const { account, caller } = own
  session.output.say(`account ${caller.account} as ${caller.name}, in ${caller.region}`)
  const left = new RackError('cancelled', `the stacks of ${name} are not all of this version yet`, {
    hint: `The account goes on with what it has begun. Go on: rack update --rack ${name}`,
  })
  using control = watchStacks(session, left)
  const before = await placesInAccount(account, name, control)
  const tool = await toolImageBeside(before.toolImage)
  const wanted = { ...(await readChosen(account, name, control)), images: { tool, builder: null } }
  const stacks = await planStacks(account, wanted, control)
  const found = { stacks, isNewTool: tool !== before.toolImage }
  const replace = replaced(session, name, stacks)
  if (session.options.flag('plan')) return { ...found, installation: null }
  for (const stack of stacks) assertNothingLost({ rack: name, replace }, stack)
  if (!found.isNewTool && stacks.every(({ changes }) => changes.length === 0)) {
    session.output.say(`${name}: its stacks are of this version already`)
    return { ...found, installation: await noted(installation, before) }
  }
  session.output.say(describeUpdate(found, name).trimEnd())
  await confirm(session, `Change ${name} in the account ${caller.account} so?`, name)
  const places = await make(account, { wanted, replace }, control)
  return { ...found, installation: await noted(installation, places) }
}

/** @throws not-found where a stack of it is gone */
async function placesInAccount(account: OpenAccount, name: string, control: Control): Promise<AwsPlaces> {
  const found = await findStacks(account, name, control)
  if (found) return placesOf(found)
  throw new RackError('not-found', `the account has not both stacks of ${name} any more`, {
    hint: `See what is gone: rack doctor --rack ${name}`,
  })
}

/** Writes down where things are, where that is not written yet. */
async function noted(installation: AwsInstallation, places: AwsPlaces): Promise<AwsInstallation | null> {
  if (isDeepStrictEqual(installation.places, places)) return null
  const changed = { ...installation, places }
  await writeInstallation(changed)
  return changed
}

async function make(
  account: OpenAccount,
  { wanted, replace }: { wanted: InstallationInput; replace: readonly string[] },
  control: Control,
): Promise<AwsPlaces> {
  const repository = `rack/${wanted.rack}`
  const tool = await ensureToolImage({ clients: account.clients, repository }, control)
  const images = { ...wanted.images!, tool }
  return placesOf(await makeStacks(account, { ...wanted, images, replace }, control))
}

/** @throws usage for a name that stands for nothing that would be lost */
export function replaced(
  { options }: Pick<Session, 'options'>,
  rack: string,
  stacks: readonly PlannedStack[],
): string[] {
  const names = options.list('replace').flatMap((text) => text.split(',').map((name) => name.trim()))
  const lost = stacks.flatMap((stack) => lostChanges(rack, stack)).map(({ resource }) => resource)
  const wrong = names.find((name) => !lost.includes(name))
  if (wrong === undefined) return names
  const there = lost.length === 0 ? 'Nothing would be replaced or removed' : `There are ${lost.join(', ')}`
  throw new RackError('usage', `--replace: no "${wrong}" would be replaced or removed`, {
    hint: `${there}: rack update --rack ${rack} --plan`,
  })
}
