import { createInstallerClients } from '../../account/installer-clients.ts'
import { checkRegion } from '../../account/caller.ts'
import { installerPolicy } from '../../account/installer-policy.ts'
import { RackError } from '../../domain/error.ts'
import { checkName } from '../../host/plan-installation.ts'
import { defaultRackName } from '../find-installation.ts'
import type { Session } from '../session.ts'
import { checkDaemonPlace, readAccountOptions } from './account-options.ts'
import { lookAtAccount } from './look-at-account.ts'
import { describePlan, type AccountPlan } from './show-plan.ts'

/** What `rack install aws` does. */
export async function installInAccount(session: Session): Promise<void> {
  const { options, output, world, isJson } = session
  if (options.flag('policy')) return printPolicy(session)
  const wanted = await readAccountOptions(session)
  if (!options.flag('plan')) checkDaemonPlace(session)
  const interrupt = new AbortController()
  using cleanup = new DisposableStack()
  cleanup.defer(world.onLeave(() => interrupt.abort(new RackError('cancelled', 'nothing was changed yet'))))
  const clients = createInstallerClients({ region: wanted.region })
  cleanup.defer(() => clients.close())
  const plan = await lookAtAccount(clients, wanted, interrupt)
  tellCaller(session, plan)
  if (options.flag('plan') && isJson) return output.json(plan)
  if (options.flag('plan')) return output.data(describePlan(plan))
  throw new RackError('unsupported', 'this version shows what it would make, and does not make it yet', {
    hint: 'Add --plan.',
  })
}

/** Needs no credentials; what is not said of the account is left open in it. */
function printPolicy({ options, output }: Session): void {
  const rack = options.text('name') ?? defaultRackName
  checkName(rack)
  const region = options.text('region')
  const scope = { rack, region: region === undefined ? '*' : checkRegion(region), account: '*' }
  output.data(`${JSON.stringify(installerPolicy(scope), null, 2)}\n`)
}

function tellCaller({ output }: Session, { caller, unknownPermissions }: AccountPlan): void {
  output.say(`account ${caller.account} as ${caller.name}, in ${caller.region}`)
  if (unknownPermissions === null) return
  output.say(
    output.colors.say.yellow(`whether ${caller.name} may do all of it is not known: ${unknownPermissions}`),
  )
}
