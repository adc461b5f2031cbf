import { IAM } from '@aws-sdk/client-iam'
import { KMS } from '@aws-sdk/client-kms'
import { accountClock } from '../aws/account-clock.ts'
import { createClients, through, type AwsClients } from '../aws/clients.ts'
import type { InstallationAccount } from './installation-account.ts'

/** An account that is changed by whoever holds it, as whom the SDK finds in the environment. */
export interface OpenAccount extends InstallationAccount {
  clients: AwsClients
  roles: IAM
  close(): void
}

/** How often AWS wants to be asked about a stack (aws.md 1.9). */
const stackIntervalMs = 3000
const shortestIntervalMs = 50

/** Makes the clients; nothing is called. @throws usage for a clock that is none */
export function openAccount(region: string, environment: Record<string, string | undefined>): OpenAccount {
  const clients = createClients({ region })
  const keys = through(new KMS({ region }), 4)
  const roles = through(new IAM({ region }), 4)
  return {
    clients,
    keys,
    roles,
    intervalMs: Math.max(shortestIntervalMs, stackIntervalMs / accountClock(environment)),
    close() {
      clients.close()
      keys.destroy()
      roles.destroy()
    },
  }
}
