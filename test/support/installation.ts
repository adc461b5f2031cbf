import { randomBytes } from 'node:crypto'
import { IAM } from '@aws-sdk/client-iam'
import { KMS } from '@aws-sdk/client-kms'
import type { InstallationAccount } from '../../src/account/installation-account.ts'
import type { WantedInstallation } from '../../src/account/make-stacks.ts'
import { isAwsError } from '../../src/aws/errors.ts'
import { createClients, type AwsClients } from '../../src/aws/clients.ts'
import type { Control } from '../../src/domain/control.ts'
import { startFakeAws } from '../fake-aws/start-fake-aws.ts'
import { controlFor } from './docker-rack.ts'

/** An account with nothing in it, in which a rack is to be installed. */
export async function openEmptyAccount({ factor }: { factor: number }) {
  const rack = `t-${randomBytes(4).toString('hex')}`
  const aws = await startFakeAws({ rack, factor, isEmpty: true })
  const opened: { destroy(): void }[] = []
  /** Another caller is another installer. */
  const installer = (accessKeyId?: string): InstallationAccount & { clients: AwsClients; roles: IAM } => {
    const access = aws.access(accessKeyId)
    const clients = createClients(access)
    const keys = new KMS(access)
    const roles = new IAM(access)
    opened.push({ destroy: () => clients.close() }, keys, roles)
    return { clients, keys, roles, intervalMs: 50 }
  }
  const account = installer()
  return {
    rack,
    aws,
    account,
    installer,
    wanted: (more: Partial<WantedInstallation> = {}): WantedInstallation => ({
      rack,
      network: { kind: 'own', nat: false },
      daemonFrom: [],
      networkBalancer: false,
      images: null,
      ...more,
    }),
    /** Types of what stacks have made and is still there, sorted. */
    held: async (): Promise<string[]> => {
      const all = [...aws.stacks.inventory.there].map((each) => each.split(' ') as [string, string])
      const found: string[] = []
      for (const [type, id] of all) if (await isThere(account.clients, type, id)) found.push(type)
      return found.toSorted()
    },
    close: async () => {
      for (const each of opened) each.destroy()
      await aws.close()
    },
  }
}

/** What may have been removed by a call rather than by its stack. */
async function isThere(clients: AwsClients, type: string, id: string): Promise<boolean> {
  try {
    if (type === 'AWS::S3::Bucket') await clients.objects.listObjectsV2({ Bucket: id })
    if (type === 'AWS::EFS::FileSystem') await clients.files.describeAccessPoints({ FileSystemId: id })
    if (type === 'AWS::SecretsManager::Secret') await clients.secrets.getSecretValue({ SecretId: id })
    return true
  } catch (error) {
    const gone = [
      'NoSuchBucket',
      'FileSystemNotFound',
      'ResourceNotFoundException',
      'InvalidRequestException',
    ]
    if (isAwsError(error, ...gone)) return false
    throw error
  }
}

/** Hears the lines of what is reported. */
export function listeningControl(): { heard: string[]; control: Control } {
  const heard: string[] = []
  return {
    heard,
    control: {
      ...controlFor(120_000),
      report: (progress) => void (progress.type === 'log' && heard.push(progress.text)),
    },
  }
}
