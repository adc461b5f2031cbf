import { handOver, type HandOverOutcome } from '../host/hand-over.ts'
import type { Installation } from '../host/installation.ts'
import { machineControl } from './machine-control.ts'
import { connectTo, tokenOf, waitUntilReady } from './machine-status.ts'
import type { Session } from './session.ts'

/** Has this version take over a rack of this machine, and says what came of it. @throws as `handOver` */
export async function handOverRack(
  session: Session,
  installation: Installation,
  signal: AbortSignal,
): Promise<HandOverOutcome> {
  const { world, output } = session
  const { name } = installation
  output.say(`${name}: ${world.version} takes over; apps and router run on`)
  const token = tokenOf(world.env, installation)
  // Taking up what was left may last; what the new daemon acknowledges by then is not to be undone.
  const isItself = async () =>
    token === null || (await (await connectTo(installation, token)).getRack()).version === world.version
  const order = { installation, to: world.program, environment: world.env, isItself }
  const outcome = await handOver(order, machineControl(signal))
  output.say(`${name}: ${outcomeTexts[outcome]}`)
  if (outcome === 'handed-over') await waitUntilReady(session, installation, { token })
  return outcome
}

const outcomeTexts: Record<HandOverOutcome, string> = {
  'handed-over': 'its daemon is of this version',
  same: 'its daemon is of this version already',
  stopped: 'it is stopped; rack start starts it with this version',
}
