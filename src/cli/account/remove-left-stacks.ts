import { checkRegion, readCaller } from '../../account/caller.ts'
import { findRack } from '../../account/find-rack.ts'
import { openAccount } from '../../account/open-account.ts'
import { removeStacks } from '../../account/remove-stacks.ts'
import { RackError } from '../../domain/error.ts'
import { confirm } from '../confirm.ts'
import type { Session } from '../session.ts'
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
    if (!found) {
      throw new RackError(
        'not-found',
        `the account ${caller.account} has nothing of a rack "${name}" in ${region}`,
        {
          hint: `Are the name and the Region as they were? aws cloudformation list-stacks --region ${region}`,
        },
      )
    }
    if (found.mark) {
      throw new RackError('conflict', `${name} is installed: its daemon is on ${found.mark.host}`, {
        hint: `There: rack uninstall --dir ${found.mark.directory}`,
      })
    }
    await confirm(session, `Remove what is left of ${name} in the account ${caller.account}?`, name)
    const kept = await removeStacks(account, { rack: name, data: volumes }, control)
    if (isJson) output.json({ name, kept })
    tellKept(session, kept, { name, region, volumes })
  } finally {
    account.close()
  }
}
