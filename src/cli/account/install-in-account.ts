import { checkRegion } from '../../account/caller.ts'
import { checkDaemonImage, defaultNodeImage } from '../../account/daemon-image.ts'
import { createInstallerClients } from '../../account/installer-clients.ts'
import { installerPolicy } from '../../account/installer-policy.ts'
import type { InsideInput } from '../../account/templates/inside.ts'
import { readTool } from '../../account/tool-image.ts'
import { RackError } from '../../domain/error.ts'
import { checkEngine } from '../../host/engine-check.ts'
import { checkName } from '../../host/plan-installation.ts'
import { hasSystemd } from '../../host/start-at-boot.ts'
import { dockerSocket } from '../../lib/docker-socket.ts'
import { confirm } from '../confirm.ts'
import { defaultRackName } from '../find-installation.ts'
import type { Session } from '../session.ts'
import { readAccountOptions, type AccountOptions } from './account-options.ts'
import { checkFree } from './check-free.ts'
import { checkLastingCredentials } from './lasting-credentials.ts'
import { lookAtAccount } from './look-at-account.ts'
import { makeRack } from './make-rack.ts'
import { describePlan, type AccountPlan } from './show-plan.ts'

/** What `rack install aws` does; gives its exit code. */
export async function installInAccount(session: Session): Promise<number> {
  const { options, output, isJson } = session
  if (options.flag('policy')) {
    printPolicy(session)
    return 0
  }
  const wanted = await readAccountOptions(session)
  const isPlan = options.flag('plan')
  if (!isPlan) {
    await checkFree(session, wanted)
    // Better missed before anything is made than after.
    await readTool()
    const { inside } = wanted.stacks
    if (inside) await checkNodeImage(session, inside.nodeImage ?? defaultNodeImage)
    else checkLastingCredentials(session.world.env, { isBySystemd: await hasSystemd() })
  }
  const plan = await look(session, wanted)
  if (isPlan) {
    if (isJson) output.json(plan)
    else output.data(describePlan(plan))
    return 0
  }
  await askFirst(session, wanted, plan)
  return await makeRack(session, wanted)
}

async function checkNodeImage({ world }: Session, base: string): Promise<void> {
  const interrupt = new AbortController()
  using cleanup = new DisposableStack()
  cleanup.defer(world.onLeave(() => interrupt.abort(new RackError('cancelled', 'nothing was changed'))))
  await checkDaemonImage(base, interrupt)
}

async function look({ world, output }: Session, wanted: AccountOptions): Promise<AccountPlan> {
  const interrupt = new AbortController()
  using cleanup = new DisposableStack()
  const clients = createInstallerClients({ region: wanted.region })
  cleanup.defer(() => clients.close())
  cleanup.defer(world.onLeave(() => interrupt.abort(new RackError('cancelled', 'nothing was changed'))))
  const plan = await lookAtAccount(clients, wanted, interrupt)
  const { caller, unknownPermissions } = plan
  output.say(`account ${caller.account} as ${caller.name}, in ${caller.region}`)
  if (unknownPermissions !== null) {
    const text = `whether ${caller.name} may do all of it is not known: ${unknownPermissions}`
    output.say(output.colors.say.yellow(text))
  }
  return plan
}

/** Shows all that will be made, and who reaches it or what this machine must be for it, before the first change. */
async function askFirst(session: Session, wanted: AccountOptions, plan: AccountPlan): Promise<void> {
  const { output, options, world } = session
  const { name, stacks } = wanted
  output.say(describePlan(plan).trimEnd())
  if (stacks.inside) output.say(describeApi(stacks.inside))
  else {
    output.say(output.colors.say.yellow(describeMachine(stacks)))
    await tellNoBuilds(session)
  }
  if (!options.flag('yes') && !(world.stdin.isTTY && world.stderr.isTTY)) {
    throw new RackError('usage', 'this makes what the account bills, and nobody is here to be asked', {
      hint: 'Add --yes; or --plan, to change nothing.',
    })
  }
  const { account, name: who } = plan.caller
  await confirm(session, `Install ${name} in the account ${account} as ${who}?`, name)
}

function describeApi({ allow }: InsideInput): string {
  const from = allow.length === 0 ? 'anywhere (--api-allow says from where alone)' : allow.join(', ')
  return `the daemon runs in the account; whoever has a token reaches its API through the load balancer, from ${from}`
}

function describeMachine({ network, daemonFrom }: AccountOptions['stacks']): string {
  const where = network.kind === 'given' ? network.vpc : 'the network that is made, 10.213.0.0/16'
  return `the daemon runs on this machine, which has to reach ${where} from ${daemonFrom.join(', ')}: as an instance in it, by a VPN or a peering; where it does not, no deploy gets through its gate`
}

/** Images are built beside the daemon. */
async function tellNoBuilds({ output, world }: Session): Promise<void> {
  try {
    await checkEngine(dockerSocket(world.env))
  } catch (error) {
    if (!(error instanceof RackError)) throw error
    const text = `only processes with an image: of their own will be deployed, and nothing built: ${error.message}`
    output.say(output.colors.say.yellow(text))
    if (error.hint !== undefined) output.say(`  ${error.hint}`)
  }
}

/** Needs no credentials; what is not said of the account is left open in it. */
function printPolicy({ options, output }: Session): void {
  const rack = options.text('name') ?? defaultRackName
  checkName(rack)
  const region = options.text('region')
  const scope = { rack, region: region === undefined ? '*' : checkRegion(region), account: '*' }
  output.data(`${JSON.stringify(installerPolicy(scope), null, 2)}\n`)
}
