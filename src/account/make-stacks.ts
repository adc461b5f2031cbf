import type { StackChange } from '../aws/change-sets.ts'
import { liftProtection } from '../aws/lift-protection.ts'
import type { StackOptions } from '../aws/stack-options.ts'
import { describeStack, outputsOf } from '../aws/stack-state.ts'
import { ensureStack, planStack, type StackPlan, type WantedStack } from '../aws/stacks.ts'
import type { Control } from '../domain/control.ts'
import { RackError } from '../domain/error.ts'
import { forgetAbsentNamesSoon } from './absent-names.ts'
import { withChosen } from './chosen.ts'
import { secretType } from './held-resources.ts'
import { ensureLinkedRoles } from './linked-roles.ts'
import { stackOptionsOf, type InstallationAccount } from './installation-account.ts'
import {
  baseStackName,
  installationStacks,
  rackStackName,
  type InstallationInput,
} from './installation-stacks.ts'
import type { Outputs } from './places.ts'
import { apiCertificateParameter } from './templates/daemon.ts'
import { rackParameters } from './templates/rack-template.ts'
import { storeResource } from './templates/store.ts'
import { tagsOf } from './templates/template.ts'

/** By stack, what it says of itself. */
export interface InstallationOutputs {
  base: Outputs
  rack: Outputs
}

export interface WantedInstallation extends InstallationInput {
  /** Resources of the stacks, by name, that may be replaced or removed though data or the rack hangs on them. */
  replace?: readonly string[]
  /** ARN of the certificate of the API, which is imported; needed where the daemon is inside. */
  apiCertificate?: string
}

/**
 * Makes the stacks of a rack, or brings them up to date: the base, then the rack on it, both protected. Reports each event.
 * Safe to repeat: what an installer before has begun is waited for and gone on with, and the end of the signal ends the
 * wait alone. What was made before a failure stays.
 *
 * @throws conflict where a change would replace or remove what is not named in `replace`
 * @throws engine-failed with the stack, the resource and the account's reason
 */
export async function makeStacks(
  account: InstallationAccount,
  wanted: WantedInstallation,
  control: Control,
): Promise<InstallationOutputs> {
  const base = await makeBaseStack(account, wanted, control)
  return { base, rack: await makeRackStack(account, wanted, base, control) }
}

/** The first of both, as `makeStacks` does it; `onCreate` hears that this call has begun to make it. */
export async function makeBaseStack(
  account: InstallationAccount,
  wanted: WantedInstallation,
  control: Control,
  onCreate: () => void = () => undefined,
): Promise<Outputs> {
  const { replace = [], apiCertificate: _ofRack, ...input } = wanted
  const { rack } = input
  const options = stackOptionsOf(account)
  const named = { stack: baseStackName(rack), resource: storeResource, intervalMs: options.intervalMs }
  const free = async () => await liftProtection({ ...account.clients, ...named }, control)
  // The network comes first: by then they are known.
  const judgeNew = async () => await ensureLinkedRoles(account, control)
  const stack = { ...baseStack(input, replace), onCreate, judgeNew, free }
  const base = await ensureStack(options, stack, control)
  await options.stacks.updateTerminationProtection(
    { StackName: baseStackName(rack), EnableTerminationProtection: true },
    { abortSignal: control.signal },
  )
  await forgetAbsentNamesSoon(account, { zone: base['Zone']!, name: `${rack}.internal` }, control)
  return base
}

/** The second of both, on what the first says of itself. */
export async function makeRackStack(
  account: InstallationAccount,
  wanted: WantedInstallation,
  base: Outputs,
  control: Control,
): Promise<Outputs> {
  const { rack, replace = [] } = wanted
  const options = rackOptionsOf(account)
  const outputs = await ensureStack(options, rackStack(wanted, base, replace), control)
  await options.stacks.updateTerminationProtection(
    { StackName: rackStackName(rack), EnableTerminationProtection: true },
    { abortSignal: control.signal },
  )
  return outputs
}

/** What `makeStacks` would change, stack by stack. Nothing is changed, and nothing refused. */
export async function planStacks(
  account: InstallationAccount,
  wanted: Omit<WantedInstallation, 'replace'>,
  control: Control,
): Promise<StackPlan[]> {
  const { apiCertificate: _ofRack, ...input } = wanted
  const options = stackOptionsOf(account)
  const found = await describeStack(options, baseStackName(wanted.rack), control)
  const base = await planStack(options, baseStack(input, []), control)
  const ofRack = rackOptionsOf(account)
  return [base, await planStack(ofRack, rackStack(wanted, found ? outputsOf(found) : {}, []), control)]
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

/** A daemon that has changed the store may leave one from before that no longer starts: only forward leads out. */
function rackOptionsOf(account: InstallationAccount): StackOptions {
  return { ...stackOptionsOf(account), mayBeSkipped: ['DaemonService'] }
}

function baseStack(wanted: InstallationInput, replace: readonly string[]): WantedStack {
  const [base] = installationStacks(wanted)
  const { name, template } = base!
  const judge = judgeFor(wanted.rack, name, replace)
  return { name, template: withChosen(template, wanted), tags: tagsOf(wanted.rack), judge }
}

function rackStack(wanted: WantedInstallation, base: Outputs, replace: readonly string[]): WantedStack {
  const [, rack] = installationStacks(wanted)
  const names = rackParameters(wanted)
  const given: Outputs = { ...base, [apiCertificateParameter]: wanted.apiCertificate ?? '' }
  const parameters = Object.fromEntries(names.map((name) => [name, given[name] ?? '']))
  const judge = judgeFor(wanted.rack, rack!.name, replace)
  return { ...rack!, tags: tagsOf(wanted.rack), parameters, judge }
}

function judgeFor(rack: string, name: string, replace: readonly string[]) {
  return (changes: StackChange[]) => {
    assertNothingLost({ rack, replace }, { name, changes })
  }
}

/** Of the rack's stack: what processes run in, are reached by or are made from. */
const heldTypes = new Set([
  'AWS::ECS::Cluster',
  'AWS::ECR::Repository',
  'AWS::ElasticLoadBalancingV2::LoadBalancer',
  'AWS::ElasticLoadBalancingV2::Listener',
  'AWS::Logs::LogGroup',
])

/**
 * Of what would change in a stack, what data or the rack hangs on and would be replaced or removed; also a secret of the base
 * that changes, as the account may make another value of it then. Pure.
 */
export function lostChanges(
  rack: string,
  { name, changes }: Pick<StackPlan, 'name' | 'changes'>,
): StackChange[] {
  const isBase = name === baseStackName(rack)
  return changes.filter(({ action, type }) =>
    action === 'Modify' ? isBase && type === secretType : action !== 'Add' && (isBase || heldTypes.has(type)),
  )
}

const lossWords: Record<StackChange['action'], string> = {
  Add: 'be made',
  Modify: 'get another value',
  Remove: 'be removed',
  Replace: 'be replaced',
}

/** @throws conflict where something would be lost that is not named in `replace` */
export function assertNothingLost(
  { rack, replace }: { rack: string; replace: readonly string[] },
  plan: Pick<StackPlan, 'name' | 'changes'>,
): void {
  const lost = lostChanges(rack, plan).filter(({ resource }) => !replace.includes(resource))
  if (lost.length === 0) return
  const words = lost.map(({ action, resource, type }) => `${resource} (${type}) would ${lossWords[action]}`)
  const names = lost.map(({ resource }) => resource)
  throw new RackError('conflict', `the stack ${plan.name} stays as it is: ${words.join(', ')}`, {
    hint: `Choose what it was made with. Where what hangs on them may go: rack update --rack ${rack} --replace ${names.join(',')}`,
    details: { stack: plan.name, resources: names },
  })
}
