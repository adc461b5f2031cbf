import { ACM } from '@aws-sdk/client-acm'
import { CloudFormation } from '@aws-sdk/client-cloudformation'
import { CloudWatch } from '@aws-sdk/client-cloudwatch'
import { CodeBuild } from '@aws-sdk/client-codebuild'
import { CloudWatchLogs } from '@aws-sdk/client-cloudwatch-logs'
import { ECR } from '@aws-sdk/client-ecr'
import { ECS } from '@aws-sdk/client-ecs'
import { EFS } from '@aws-sdk/client-efs'
import { ElasticLoadBalancingV2 } from '@aws-sdk/client-elastic-load-balancing-v2'
import type { Pricing } from '@aws-sdk/client-pricing'
import { RDS } from '@aws-sdk/client-rds'
import { Route53 } from '@aws-sdk/client-route-53'
import { S3 } from '@aws-sdk/client-s3'
import { SecretsManager } from '@aws-sdk/client-secrets-manager'
import { ServiceQuotas } from '@aws-sdk/client-service-quotas'
import { ServiceDiscovery } from '@aws-sdk/client-servicediscovery'
import { STS } from '@aws-sdk/client-sts'
import { createSemaphore } from '../lib/semaphore.ts'
import { translateError } from './errors.ts'
import { createAccountGate } from './own-account.ts'
import { createPricesClient } from './prices/prices-client.ts'

/** Where an account is, and as whom it is called; what is absent is found as the SDK finds it. */
export interface AwsAccess {
  region: string
  /** Takes the place of every service's own. */
  endpoint?: string
  credentials?: { accessKeyId: string; secretAccessKey: string; sessionToken?: string }
  /** Whoever calls another one is kept from all but asking whose it is. */
  account?: string
}

/** One client a service: each call waits for its turn among its family's, and throws what `translateError` says. */
export interface AwsClients {
  ecs: ECS
  balancers: ElasticLoadBalancingV2
  logs: CloudWatchLogs
  metrics: CloudWatch
  secrets: SecretsManager
  discovery: ServiceDiscovery
  zones: Route53
  files: EFS
  stacks: CloudFormation
  objects: S3
  images: ECR
  builds: CodeBuild
  databases: RDS
  quotas: ServiceQuotas
  identity: STS
  certificates: ACM
  prices: Pricing
  close(): void
}

/** Calls of a family that are under way at once; ELB's are slow, Route 53 takes five a second (aws.md 1.9). */
const atOnce = { ecs: 16, balancers: 4, zones: 2, stacks: 2, other: 8 }

/** Makes the clients; nothing is called. */
export function createClients(access: AwsAccess): AwsClients {
  const given = {
    region: access.region,
    ...(access.credentials && { credentials: access.credentials }),
    ...(access.endpoint && { endpoint: access.endpoint }),
    retryMode: 'adaptive' as const,
    maxAttempts: 8,
  }
  // One that is not AWS's has one name for all services, which the SDK finds in the environment too.
  const isElsewhere = Boolean(access.endpoint ?? process.env['AWS_ENDPOINT_URL'])
  const hosts = isElsewhere ? { disableHostPrefix: true } : {}
  const clients = {
    ecs: through(new ECS(given), atOnce.ecs),
    balancers: through(new ElasticLoadBalancingV2(given), atOnce.balancers),
    logs: through(new CloudWatchLogs({ ...given, ...hosts }), atOnce.other),
    metrics: through(new CloudWatch(given), atOnce.other),
    secrets: through(new SecretsManager(given), atOnce.other),
    discovery: through(new ServiceDiscovery({ ...given, ...hosts }), atOnce.other),
    zones: through(new Route53(given), atOnce.zones),
    files: through(new EFS(given), atOnce.other),
    stacks: through(new CloudFormation(given), atOnce.stacks),
    objects: through(new S3({ ...given, forcePathStyle: isElsewhere }), atOnce.other),
    images: through(new ECR(given), atOnce.other),
    builds: through(new CodeBuild(given), atOnce.other),
    databases: through(new RDS(given), atOnce.other),
    quotas: through(new ServiceQuotas(given), atOnce.other),
    identity: through(new STS(given), atOnce.other),
    certificates: through(new ACM(given), atOnce.other),
    prices: through(createPricesClient(given), atOnce.other),
  }
  if (access.account !== undefined) keepTo(access.account, clients)
  return {
    ...clients,
    close() {
      for (const client of Object.values(clients)) client.destroy()
    },
  }
}

type CallStep = (args: object) => Promise<{ response: unknown; output: object }>

interface Client {
  middlewareStack: {
    add(step: never, options: { step: 'initialize'; priority: 'high'; name: string }): void
  }
}

/** Names of places are the same in every account. */
function keepTo(account: string, { identity, ...others }: { identity: STS } & Record<string, Client>): void {
  const gate = createAccountGate(identity, account)
  const step = (next: CallStep) => async (args: object) => {
    await gate()
    return await next(args)
  }
  for (const { middlewareStack } of Object.values(others))
    middlewareStack.add(step as never, { step: 'initialize', priority: 'high', name: 'rackAccount' })
}

/** The one door of all calls of a client. */
export function through<C extends Client>(client: C, limit: number): C {
  const turns = createSemaphore(limit)
  const door =
    (next: CallStep, context: { clientName?: string; commandName?: string }) => async (args: object) => {
      try {
        return await turns.run(async () => await next(args))
      } catch (error) {
        throw translateError(error, context.commandName ?? 'a call', context.clientName)
      }
    }
  // The stack's own type names the shapes of one service; a door has none.
  client.middlewareStack.add(door as never, { step: 'initialize', priority: 'high', name: 'rackDoor' })
  return client
}
