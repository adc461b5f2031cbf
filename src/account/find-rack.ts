import { describeStack, outputsOf } from '../aws/stack-state.ts'
import type { AwsClients } from '../aws/clients.ts'
import type { Control } from '../domain/control.ts'
import { stackOptionsOf, type InstallationAccount } from './installation-account.ts'
import { baseStackName, rackStackName } from './installation-stacks.ts'
import { readInstalledMark, type InstalledMark } from './installed-mark.ts'

/** What stands of a rack in an account. */
export interface FoundRack {
  /** Of its installation, if that came to its end. */
  mark: InstalledMark | null
}

/** Null where the account has neither of its stacks. */
export async function findRack(
  account: InstallationAccount & { clients: Pick<AwsClients, 'objects'> },
  rack: string,
  control: Pick<Control, 'signal'>,
): Promise<FoundRack | null> {
  const options = stackOptionsOf(account)
  const names = [baseStackName(rack), rackStackName(rack)]
  const [base, own] = await Promise.all(
    names.map(async (name) => await describeStack(options, name, control)),
  )
  if (!base && !own) return null
  const bucket = base ? outputsOf(base)['Bucket'] : undefined
  const { clients } = account
  return {
    mark: bucket === undefined ? null : await readInstalledMark({ clients, bucket }, control),
  }
}
