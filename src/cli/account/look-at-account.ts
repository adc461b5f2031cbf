import { checkCertificate } from '../../account/check-certificate.ts'
import { readCaller } from '../../account/caller.ts'
import { estimateInstallation } from '../../account/estimate-installation.ts'
import { installationStacks } from '../../account/installation-stacks.ts'
import { assertPermitted, findMissingPermissions } from '../../account/missing-permissions.ts'
import type { RackImages } from '../../account/templates/rack-template.ts'
import type { InstallerClients } from '../../account/installer-clients.ts'
import type { Control } from '../../domain/control.ts'
import type { AccountOptions } from './account-options.ts'
import type { AccountPlan } from './show-plan.ts'

const toBe: RackImages = { tool: '', builder: '', daemon: '' }

/**
 * Asks the account who calls, what it may do, and what the rack would cost; changes nothing.
 * @throws unauthorized; engine-failed with all permissions that are missing; not-found, conflict for the certificate
 */
export async function lookAtAccount(
  clients: InstallerClients,
  { name, region, domain, stacks: input }: AccountOptions,
  control: Pick<Control, 'signal'>,
): Promise<AccountPlan> {
  const caller = await readCaller(clients.identity, region, control)
  const check = await findMissingPermissions(clients.permissions, { caller, rack: name }, control)
  assertPermitted(check, { caller, rack: name })
  const { certificate: arn } = input
  if (arn !== undefined) await checkCertificate(clients.certificates, { arn, domain }, control)
  // As they are in the end: which images they then name is not known yet.
  const stacks = installationStacks({ ...input, images: input.inside ? toBe : null })
  const templates = stacks.map(({ template }) => template)
  const asked = { region, network: input.network, templates }
  return {
    caller,
    stacks: stacks.map(({ name, template }) => ({
      name,
      resources: Object.entries(template.Resources).map(([id, { Type }]) => ({ id, type: Type })),
    })),
    estimate: await estimateInstallation(clients.prices, asked, control),
    unknownPermissions: check.unknown,
  }
}
