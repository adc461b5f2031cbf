import { findRack } from '../../account/find-rack.ts'
import { heldResources } from '../../account/held-resources.ts'
import { makeBaseStack } from '../../account/make-stacks.ts'
import { openAccount, type OpenAccount } from '../../account/open-account.ts'
import type { Outputs } from '../../account/places.ts'
import { removeStacks } from '../../account/remove-stacks.ts'
import { assertNamesFree } from '../../account/taken-names.ts'
import type { Control } from '../../domain/control.ts'
import { RackError } from '../../domain/error.ts'
import type { Session } from '../session.ts'
import type { AccountOptions } from './account-options.ts'
import { makeRackHere } from './make-rack-here.ts'
import { makeRackInside } from './make-rack-inside.ts'
import { alreadyInstalled } from './making.ts'
import { watchStacks } from './watch-stacks.ts'

/**
 * Makes the rack in the account, then its daemon, there or here; a new one that fails leaves nothing; of one that went on, what is in the account stays.
 * Gives the exit code: 1 for one that does not come up.
 */
export async function makeRack(session: Session, wanted: AccountOptions): Promise<number> {
  const { output, world } = session
  const { name, region } = wanted
  const account = openAccount(region, world.env)
  using closing = new DisposableStack()
  closing.defer(() => account.close())
  const left = new RackError('cancelled', 'the install was interrupted', {
    hint: `The account goes on with what it has begun. Type the same again to go on with it; or take it away: rack uninstall --region ${region} --rack ${name} --volumes`,
  })
  using watching = watchStacks(session, left)
  await using undo = new AsyncDisposableStack()
  await checkNotInstalled(account, wanted, watching)
  output.say(`making ${name} in ${region}`)
  let base: Outputs | null = null
  // Of two at once the one has made it, and the other may not take it away.
  let isOurs = false
  undo.defer(async () => {
    if (isOurs) return await undoStacks(session, account, { wanted, base, control: watching })
    output.say(`what stood of it in the account stays: rack uninstall --region ${region} --rack ${name}`)
  })
  base = await makeBaseStack(account, wanted.stacks, watching, () => {
    isOurs = true
  })
  const unwatch = () => watching[Symbol.dispose]()
  const leaveStacks = () => {
    isOurs = false
  }
  const making = { session, account, wanted, base, undo, control: watching, unwatch, leaveStacks }
  return await (wanted.stacks.inside ? makeRackInside(making) : makeRackHere(making))
}

/** @throws exists for a rack of the account that was installed to its end, and for a name that something else has there */
async function checkNotInstalled(
  account: OpenAccount,
  { name, region }: AccountOptions,
  control: Control,
): Promise<void> {
  const found = await findRack(account, name, control)
  if (!found) return await assertNamesFree(account, name, control)
  if (found.mark) throw alreadyInstalled({ name, region }, found.mark)
}

const undoDeadlineMs = 1_800_000

interface Undone {
  wanted: AccountOptions
  base: Outputs | null
  control: Control
}

/** Under a signal of its own. An interrupted one goes on where it was, so nothing of it goes. */
async function undoStacks(
  { output }: Session,
  account: OpenAccount,
  { wanted: { name, region }, base, control }: Undone,
): Promise<void> {
  if (control.signal.aborted) return
  output.say(`taking away what was made of ${name}`)
  try {
    const undoing = { ...control, signal: AbortSignal.timeout(undoDeadlineMs) }
    const held = base && heldOf(base)
    await removeStacks(account, { rack: name, data: true, ...(held && { held }) }, undoing)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    output.say(output.colors.say.yellow(`not all of it is gone: ${why}`))
    output.say(`  rack uninstall --region ${region} --rack ${name} --volumes`)
  }
}

const heldOf = ({ Bucket = '', FileSystem = '', Key = '', StoreKey }: Outputs) =>
  heldResources({ bucket: Bucket, fileSystem: FileSystem, key: Key, storeKey: StoreKey })
