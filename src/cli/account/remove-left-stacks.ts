import { checkRegion, readCaller, type Caller } from '../../account/caller.ts'
import { findRack } from '../../account/find-rack.ts'
import { describeMark } from '../../account/installed-mark.ts'
import type { InstallationAccount } from '../../account/installation-account.ts'
import { leftResources, withData } from '../../account/left-resources.ts'
import { openAccount } from '../../account/open-account.ts'
import { removeStacks } from '../../account/remove-stacks.ts'
import type { Control } from '../../domain/control.ts'
import { RackError } from '../../domain/error.ts'
import { accountUrl, type AccountAddress } from '../account-way.ts'
import { confirm } from '../confirm.ts'
import { changeRacks, withoutRack, type AccountWay } from '../racks-file.ts'
import type { Session } from '../session.ts'
import type { KeptResource } from './kept-resources.ts'
import { loginToAccount } from './login-to-account.ts'
import { uninstallInside } from './uninstall-inside.ts'
import { tellKept } from './uninstall-from-account.ts'
import { watchStacks } from './watch-stacks.ts'

/** Takes away the stacks of a rack that was never installed to its end, of which nothing is on this machine. */
export async function removeLeftStacks(session: Session): Promise<void> {
  const { options, world, output, isJson } = session
  const region = checkRegion(options.text('region'))
  const name = options.text('rack')
  if (name === undefined) {
    throw new RackError('usage', 'which rack of the Region is meant has to be said', {
      hint: `rack uninstall --region ${region} --rack NAME`,
    })
  }
  const volumes = options.flag('volumes')
  const account = openAccount(region, world.env)
  try {
    const left = new RackError('cancelled', `${name} is not gone yet`, {
      hint: `The account goes on with what it has begun. Go on: rack uninstall --region ${region} --rack ${name}`,
    })
    using control = watchStacks(session, left)
    const caller = await readCaller(account.clients.identity, region, control)
    output.say(`account ${caller.account} as ${caller.name}, in ${region}`)
    const found = await findRack(account, name, control)
    const held = await leftResources(account, name, control)
    if (!found) await assertLeft(account, { name, volumes, caller }, held, control)
    const mark = found?.mark
    if (mark?.inside) return await uninstallFromElsewhere(session, { region, rack: name })
    if (mark) {
      throw new RackError('conflict', `${name} is installed: its daemon is ${describeMark(mark)}`, {
        hint: `There: rack uninstall --dir ${mark.directory}`,
      })
    }
    const data = volumes ? held.map(({ type, id }) => `${type} ${id}`).join(', ') : ''
    const what = `what is left of ${name} in the account ${caller.account}${data === '' ? '' : `, also ${data}`}`
    await confirm(session, `Remove ${what}?`, name)
    const kept = await removeStacks(account, { rack: name, data: volumes, held }, control)
    await forget(session, { id: caller.account, region, rack: name })
    if (isJson) output.json({ name, kept })
    tellKept(session, kept, { name, region, volumes })
  } finally {
    account.close()
  }
}

/** Of a rack inside its account nothing has to be here: whoever may write into its bucket is its administrator. */
async function uninstallFromElsewhere(session: Session, address: AccountAddress): Promise<void> {
  const known = await loginToAccount(session, accountUrl(address), { start: true })
  await uninstallInside(session, { ...known, account: known.account! })
  await forget(session, known.account!)
}

/** Takes it off the list of those that are known here, however it is called here. */
async function forget(
  { world }: Session,
  { id, region, rack }: Pick<AccountWay, 'id' | 'region' | 'rack'>,
): Promise<void> {
  await changeRacks(world.env, (known) => {
    const own = known.racks.filter(
      ({ account }) => account?.id === id && account.region === region && account.rack === rack,
    )
    return own.reduce((left, { name }) => withoutRack(left, name), known)
  })
}

interface Wanted {
  name: string
  volumes: boolean
  caller: Caller
}

/** Of one whose stacks are gone. @throws not-found where nothing is left, or nothing that this call would take */
async function assertLeft(
  account: InstallationAccount,
  { name, volumes, caller: { account: id, region } }: Wanted,
  held: readonly KeptResource[],
  control: Pick<Control, 'signal'>,
): Promise<void> {
  if (volumes && held.length > 0) return
  const data = await withData(account, held, control)
  if (data.length === 0) {
    throw new RackError('not-found', `the account ${id} has nothing of a rack "${name}" in ${region}`, {
      hint: `Are the name and the Region as they were? aws cloudformation list-stacks --region ${region}`,
    })
  }
  const words = data.map(({ type, id }) => `${type} ${id}`).join(', ')
  throw new RackError('not-found', `of ${name} there is nothing left in ${region} but its data: ${words}`, {
    hint: `To have it taken away too: rack uninstall --region ${region} --rack ${name} --volumes`,
  })
}
