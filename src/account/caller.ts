import type { STS } from '@aws-sdk/client-sts'
import type { Control } from '../domain/control.ts'
import { RackError } from '../domain/error.ts'
import { isAwsError } from '../aws/errors.ts'

/** As whom an account is called. */
export interface Caller {
  account: string
  region: string
  /** As the account says: of a role that was taken on, the session's. */
  arn: string
  /** `federated`: a user whom the account itself does not know. */
  kind: 'root' | 'user' | 'role' | 'federated'
  /** Without the account: `user/anna`, `role/Admin`. */
  name: string
}

const regionPattern = /^[a-z]{2}(-[a-z]+)+-\d{1,2}$/

/** @throws usage for what can be no Region; unsupported for one outside the partition `aws` */
export function checkRegion(region: string | undefined): string {
  if (region === undefined) {
    throw new RackError('usage', 'a rack in an account needs the Region that it is to stand in', {
      hint: 'rack install aws --region eu-west-1, or another one of yours',
    })
  }
  if (!regionPattern.test(region)) {
    throw new RackError('usage', `"${region}" is no Region of AWS`, {
      hint: 'Write it as AWS does, without a zone: --region eu-west-1',
    })
  }
  if (/^(cn|us-gov|us-iso|us-isob|eu-isoe)-/.test(region)) throw otherPartition(region)
  return region
}

function otherPartition(where: string): RackError {
  return new RackError('unsupported', `${where} is not of AWS's public Regions, and a rack knows no others`, {
    hint: 'Choose another one: --region eu-west-1',
  })
}

const credentialsHint =
  'The credentials are those of the AWS CLI: aws configure list shows them; then aws sso login, aws configure, or AWS_PROFILE=NAME before the command'

/**
 * Asks the account who calls it, before anything else is asked.
 * @throws unauthorized without credentials that it takes; engine-unavailable where no Region of that name answers;
 *   unsupported outside the partition `aws`
 */
export async function readCaller(
  identity: STS,
  region: string,
  { signal }: Pick<Control, 'signal'>,
): Promise<Caller> {
  const { Account = '', Arn = '' } = await identity
    .getCallerIdentity({}, { abortSignal: signal })
    .catch((error: unknown) => {
      throw explain(error, region)
    })
  const [, partition, service] = Arn.split(':')
  if (partition !== 'aws') throw otherPartition(Arn)
  return { account: Account, region, arn: Arn, ...nameOf(Arn, service) }
}

function nameOf(arn: string, service: string | undefined): Pick<Caller, 'kind' | 'name'> {
  const name = arn.slice(arn.lastIndexOf(':') + 1)
  if (name === 'root') return { kind: 'root', name }
  const [kind, ...rest] = name.split('/')
  if (service === 'sts' && kind === 'assumed-role') return { kind: 'role', name: `role/${rest[0]}` }
  if (kind === 'role') return { kind: 'role', name }
  return { kind: kind === 'user' ? 'user' : 'federated', name }
}

function explain(error: unknown, region: string): unknown {
  const say = (message: string, hint: string) =>
    new RackError('unauthorized', message, { hint, cause: error })
  if (isAwsError(error, 'CredentialsProviderError', 'TokenProviderError')) {
    return say('there are no credentials of an AWS account here', credentialsHint)
  }
  if (isAwsError(error, 'ExpiredToken', 'ExpiredTokenException')) {
    return say('the credentials of the account have expired', credentialsHint)
  }
  if (isAwsError(error, 'InvalidClientTokenId', 'UnrecognizedClientException')) {
    return say(
      `AWS does not know these credentials in ${region}`,
      `${credentialsHint}. A Region that has to be switched on first, see: aws account list-regions`,
    )
  }
  if (isAwsError(error, 'SignatureDoesNotMatch', 'InvalidSignatureException')) {
    return say('the secret key does not fit the access key', credentialsHint)
  }
  if (isUnknownHost(error)) {
    return new RackError('engine-unavailable', `no Region "${region}" answers`, {
      hint: 'Is it spelled as AWS does, as in --region eu-west-1, and does this machine reach the internet?',
      cause: error,
    })
  }
  return error
}

/** A host that no name server knows. */
function isUnknownHost(error: unknown): boolean {
  const own = error instanceof RackError ? error.cause : error
  const { code } = own instanceof Error ? (own as NodeJS.ErrnoException) : {}
  return code === 'ENOTFOUND' || code === 'EAI_AGAIN'
}
