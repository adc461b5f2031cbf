import { RackError } from '../domain/error.ts'

/** What AWS said no with, by its name. */
interface AwsFailure {
  name: string
  message: string
  $metadata?: { httpStatusCode?: number; requestId?: string }
}

const credentialNames = new Set([
  'ExpiredToken',
  'ExpiredTokenException',
  'CredentialsProviderError',
  'TokenProviderError',
  'UnrecognizedClientException',
  'InvalidClientTokenId',
  'InvalidSignatureException',
])
const deniedNames = new Set(['AccessDenied', 'AccessDeniedException', 'UnauthorizedOperation'])
/** Called like limits of an account, which they are none of. */
const throttleNames = new Set(['TooManyRequestsException', 'RequestLimitExceeded'])
const awayNames = new Set(['TimeoutError', 'NetworkingError', 'RequestTimeout', 'ServiceUnavailable'])
const awayCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EPIPE',
  'EHOSTUNREACH',
])

/**
 * What a call threw, as one of ours, by its name and never by its text; the cause is AWS's own. An ended signal stays as
 * it is: whoever ended it knows why.
 * @param client as the SDK calls it
 */
export function translateError(error: unknown, action: string, client = ''): unknown {
  if (error instanceof RackError || !(error instanceof Error) || error.name === 'AbortError') return error
  const { name, message } = error as AwsFailure
  const cause = error
  const say = action.replace(/Command$/, '')
  if (credentialNames.has(name)) {
    return new RackError(
      'engine-unavailable',
      `${say}: the account takes no calls as ${name} says: ${message}`,
      {
        hint: 'See as whom the rack calls: aws sts get-caller-identity',
        cause,
      },
    )
  }
  if (deniedNames.has(name)) {
    return new RackError('engine-failed', `the account does not allow ${say}: ${message}`, {
      hint: 'See what a rack needs: rack install aws --policy. Where AWS speaks of an explicit deny, whoever has set that policy must lift it.',
      cause,
    })
  }
  if (/LimitExceeded|^TooMany|QuotaExceeded/.test(name) && !throttleNames.has(name)) {
    return new RackError('capacity', `${say} meets a limit of the account (${name}): ${message}`, {
      hint: `See and raise it: ${quotasUrl(client)}`,
      cause,
    })
  }
  if (isAway(error)) {
    return new RackError('engine-unavailable', `${say}: the account does not answer: ${message}`, { cause })
  }
  return new RackError('engine-failed', `${say}: ${message} (${name})`, { cause })
}

/** By the SDK's name of a client, what Service Quotas calls its service. */
const quotaServices: Record<string, string> = {
  ACMClient: 'acm',
  CloudFormationClient: 'cloudformation',
  CodeBuildClient: 'codebuild',
  ECRClient: 'ecr',
  ECSClient: 'ecs',
  EFSClient: 'elasticfilesystem',
  ElasticLoadBalancingV2Client: 'elasticloadbalancing',
  RDSClient: 'rds',
  Route53Client: 'route53',
  S3Client: 's3',
  SecretsManagerClient: 'secretsmanager',
  ServiceDiscoveryClient: 'servicediscovery',
}

function quotasUrl(client: string): string {
  const service = quotaServices[client]
  const home = 'https://console.aws.amazon.com/servicequotas/home'
  return service === undefined ? home : `${home}/services/${service}/quotas`
}

function isAway(error: Error): boolean {
  const { code, $metadata } = error as Error & { code?: string; $metadata?: { httpStatusCode?: number } }
  if (awayNames.has(error.name) || (code !== undefined && awayCodes.has(code))) return true
  return (
    ($metadata?.httpStatusCode ?? 0) >= 500 ||
    /Throttl|TooManyRequests|SlowDown|RequestLimit|PriorRequestNotComplete/.test(error.name)
  )
}

/** Whether it is what AWS calls by one of these names, translated or not. */
export function isAwsError(error: unknown, ...names: string[]): boolean {
  const own = error instanceof RackError ? error.cause : error
  return own instanceof Error && names.includes(own.name)
}
