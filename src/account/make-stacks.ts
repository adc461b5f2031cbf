import type { StackChange } from '../aws/change-sets.ts'
import type { StackOptions } from '../aws/stack-options.ts'
import { describeStack, isBeyondChange, outputsOf } from '../aws/stack-state.ts'
import { ensureStack, planStack, type StackPlan, type WantedStack } from '../aws/stacks.ts'
import type { Control } from '../domain/control.ts'
import { RackError } from '../domain/error.ts'
import { forgetAbsentNamesSoon } from './absent-names.ts'
import { stackOptionsOf, type InstallationAccount } from './installation-account.ts'
import {
  baseStackName,
  installationStacks,
  rackStackName,
  type InstallationInput,
} from './installation-stacks.ts'
import type { Outputs } from './places.ts'
import { removeStacks } from './remove-stacks.ts'
import { rackParameters } from './templates/rack-template.ts'
import { tagsOf } from './templates/template.ts'

/** By stack, what it says of itself. */
export interface InstallationOutputs {
  base: Outputs
  rack: Outputs
}

export interface WantedInstallation extends InstallationInput {
  /** Resources of the stacks, by name, that may be replaced or removed though data or the rack hangs on them. */
  replace?: readonly string[]
}

const undoDeadlineMs = 1_800_000

/**
 * Makes the stacks of a rack, or brings them up to date: the base, protected, then the rack on it. Reports each event.
 * Safe to repeat: what an installer before has begun is waited for and gone on with, and the end of the signal ends the
 * wait alone. Where nothing was there before, a failure takes away all that was made, data included.
 *
 * @throws conflict where a change would replace or remove what is not named in `replace`
 * @throws engine-failed with the stack, the resource and the account's reason
 */
export async function makeStacks(
  account: InstallationAccount,
  wanted: WantedInstallation,
  control: Control,
): Promise<InstallationOutputs> {
  const { rack, replace = [] } = wanted
  const options = stackOptionsOf(account)
  const isFirst = await isAbsent(options, rack, control)
  try {
    const base = await ensureStack(options, baseStack(wanted, replace), control)
    await options.stacks.updateTerminationProtection(
      { StackName: baseStackName(rack), EnableTerminationProtection: true },
      { abortSignal: control.signal },
    )
    await forgetAbsentNamesSoon(account, { zone: base['Zone']!, name: `${rack}.internal` }, control)
    return { base, rack: await ensureStack(options, rackStack(wanted, base, replace), control) }
  } catch (error) {
    if (isFirst && !control.signal.aborted) await undoFirst(account, rack, { error, control })
    throw error
  }
}

/** What `makeStacks` would change, stack by stack. Nothing is changed, and nothing refused. */
export async function planStacks(
  account: InstallationAccount,
  wanted: WantedInstallation,
  control: Control,
): Promise<StackPlan[]> {
  const options = stackOptionsOf(account)
  const found = await describeStack(options, baseStackName(wanted.rack), control)
  const base = await planStack(options, baseStack(wanted, []), control)
  return [base, await planStack(options, rackStack(wanted, found ? outputsOf(found) : {}, []), control)]
}

/** Outputs of the stacks as they stand; null where there is no such rack. */
export async function findStacks(
  account: InstallationAccount,
  rack: string,
  control: Control,
): Promise<InstallationOutputs | null> {
  const options = stackOptionsOf(account)
  const names = [baseStackName(rack), rackStackName(rack)]
  const [base, own] = await Promise.all(
    names.map(async (name) => await describeStack(options, name, control)),
  )
  return base && own ? { base: outputsOf(base), rack: outputsOf(own) } : null
}

async function isAbsent(options: StackOptions, rack: string, control: Control): Promise<boolean> {
  const found = await describeStack(options, baseStackName(rack), control)
  return found === null || isBeyondChange(found)
}

/** Under a signal of its own: nothing of a rack that never was is left to pay for. */
async function undoFirst(
  account: InstallationAccount,
  rack: string,
  { error, control }: { error: unknown; control: Control },
): Promise<void> {
  const undoing = { ...control, signal: AbortSignal.timeout(undoDeadlineMs) }
  try {
    await removeStacks(account, { rack, data: true }, undoing)
  } catch (left) {
    throw new RackError(
      'engine-failed',
      `the rack was not made, and not all of it went again: ${String(left)}`,
      {
        hint: `Take away what is left: rack uninstall --region REGION --rack ${rack} --volumes`,
        cause: error,
      },
    )
  }
}

function baseStack(wanted: InstallationInput, replace: readonly string[]): WantedStack {
  const [base] = installationStacks(wanted)
  return { ...base!, tags: tagsOf(wanted.rack), judge: judgeFor(base!.name, () => true, replace) }
}

/** Of the rack's stack: what processes run in, are reached by or are made from. */
const heldTypes = new Set([
  'AWS::ECS::Cluster',
  'AWS::ECR::Repository',
  'AWS::ElasticLoadBalancingV2::LoadBalancer',
  'AWS::ElasticLoadBalancingV2::Listener',
  'AWS::Logs::LogGroup',
])

function rackStack(wanted: InstallationInput, base: Outputs, replace: readonly string[]): WantedStack {
  const [, rack] = installationStacks(wanted)
  const names = rackParameters(wanted)
  const parameters = Object.fromEntries(names.map((name) => [name, base[name] ?? '']))
  const judge = judgeFor(rack!.name, ({ type }) => heldTypes.has(type), replace)
  return { ...rack!, tags: tagsOf(wanted.rack), parameters, judge }
}

function judgeFor(
  stack: string,
  isHeld: (change: StackChange) => boolean,
  replace: readonly string[],
): (changes: StackChange[]) => void {
  return (changes) => {
    const lost = changes.filter(
      (change) =>
        /^(Remove|Replace)$/.test(change.action) && isHeld(change) && !replace.includes(change.resource),
    )
    if (lost.length === 0) return
    const words = lost.map(
      ({ action, resource, type }) => `${resource} (${type}) would be ${action.toLowerCase()}d`,
    )
    throw new RackError('conflict', `the stack ${stack} stays as it is: ${words.join(', ')}`, {
      hint: 'Choose what it was made with, or take the rack away first: rack uninstall',
      details: { stack, resources: lost.map(({ resource }) => resource) },
    })
  }
}
