import { ACM } from '@aws-sdk/client-acm'
import { IAM } from '@aws-sdk/client-iam'
import type { Pricing } from '@aws-sdk/client-pricing'
import { STS } from '@aws-sdk/client-sts'
import { through, type AwsAccess } from '../aws/clients.ts'
import { createPricesClient } from '../aws/prices/prices-client.ts'

/** What an installation asks before it makes anything; as `AwsClients`, of which it needs few. */
export interface InstallerClients {
  identity: STS
  permissions: IAM
  prices: Pricing
  certificates: ACM
  close(): void
}

/** Makes the clients; nothing is called. A person waits for them, so they give up sooner than a daemon does. */
export function createInstallerClients(access: AwsAccess): InstallerClients {
  const given = {
    region: access.region,
    ...(access.credentials && { credentials: access.credentials }),
    ...(access.endpoint && { endpoint: access.endpoint }),
    maxAttempts: 4,
  }
  const clients = {
    identity: through(new STS(given), 4),
    permissions: through(new IAM(given), 4),
    prices: through(createPricesClient(given), 4),
    certificates: through(new ACM(given), 4),
  }
  return {
    ...clients,
    close() {
      for (const client of Object.values(clients)) client.destroy()
    },
  }
}
