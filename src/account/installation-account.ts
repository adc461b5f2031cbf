import type { IAM } from '@aws-sdk/client-iam'
import type { KMS } from '@aws-sdk/client-kms'
import type { AwsClients } from '../aws/clients.ts'
import type { StackOptions } from '../aws/stack-options.ts'

/** Where an installation is, and how it is called. */
export interface InstallationAccount {
  clients: Pick<
    AwsClients,
    'stacks' | 'objects' | 'files' | 'zones' | 'databases' | 'certificates' | 'secrets'
  >
  keys: Pick<KMS, 'scheduleKeyDeletion'>
  roles: Pick<IAM, 'createServiceLinkedRole'>
  /** How often a stack is asked how far it is, ms; three seconds when absent. */
  intervalMs?: number
}

/** Balancers and gateways take minutes each. */
const deadlineMs = 1_800_000

export function stackOptionsOf({ clients, intervalMs = 3000 }: InstallationAccount): StackOptions {
  return { stacks: clients.stacks, intervalMs, deadlineMs }
}
