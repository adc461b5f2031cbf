import { restartDaemon, type HandOverOutcome } from '../../host/hand-over.ts'
import type { AwsInstallation } from '../../host/installation.ts'
import { handOverRack } from '../hand-over-rack.ts'
import { machineControl } from '../machine-control.ts'
import { tokenOf, waitUntilReady } from '../machine-status.ts'
import type { Session } from '../session.ts'
import { describeUpdate, type PlannedStack } from './show-changes.ts'
import { updateStacks } from './update-stacks.ts'

/** Stacks first: a daemon of this version may need what they make. */
export async function updateInAccount(
  session: Session,
  before: AwsInstallation,
  signal: AbortSignal,
): Promise<{ outcome: HandOverOutcome; stacks: PlannedStack[] }> {
  const { world, output } = session
  const { stacks, installation } = await updateStacks(session, before)
  const outcome = await handOverRack(session, installation ?? before, signal)
  if (outcome === 'same' && installation) {
    const order = { installation, to: world.program, environment: world.env }
    await restartDaemon(order, machineControl(signal))
    await waitUntilReady(session, installation, { token: tokenOf(world.env, installation) })
    output.say(`${installation.name}: its daemon has started anew`)
  }
  return { outcome, stacks }
}

/** What `rack update --plan` prints. */
export async function showStacksPlan(session: Session, installation: AwsInstallation): Promise<void> {
  const { output, isJson } = session
  const { name } = installation
  const { stacks, isNewTool } = await updateStacks(session, installation)
  if (isJson) output.json({ name, stacks, isNewTool })
  else output.data(describeUpdate({ stacks, isNewTool }, name))
}
