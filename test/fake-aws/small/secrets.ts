import { randomInt, randomUUID } from 'node:crypto'
import * as sdk from '@aws-sdk/client-secrets-manager'
import { AwsError, type FakeAccount, type FakeService } from '../fake-service.ts'
import { createLag } from '../lag.ts'
import type { SecretValues } from '../links.ts'
import { assertModelled, NotModelled } from '../modelled.ts'
import { paged } from '../paging.ts'

interface Secret {
  arn: string
  name: string
  version: string
  text: string
  tags: sdk.Tag[]
  key: string | undefined
  description: string | undefined
  createdAt: number
  /** Of the account's time; until then the name cannot be given again. */
  goneAt: number | null
  recoverableUntil: number | null
}

const invalid = (message: string) => new AwsError('InvalidParameterException', message)
const notFound = () =>
  new AwsError('ResourceNotFoundException', "Secrets Manager can't find the specified secret.")

/** D: "Secrets Manager quotas": 65,536 bytes. */
const largestBytes = 65_536
const dayMs = 86_400_000

/** Removal is asynchronous, also a forced one (D: DeleteSecret). J: some seconds. */
const removalMs = 3000

class Secrets {
  readonly #account: FakeAccount
  readonly #secrets = new Map<string, Secret>()
  readonly #lag: ReturnType<typeof createLag>

  constructor(account: FakeAccount) {
    this.#account = account
    this.#lag = createLag(account.clock)
  }

  /** By name, ARN, or ARN without the six characters that AWS appends. @throws AwsError */
  find(id: string): Secret {
    for (const secret of this.#all()) {
      if (secret.name === id || secret.arn === id || secret.arn.slice(0, -7) === id) return secret
    }
    throw notFound()
  }

  live(id: string): Secret {
    const secret = this.find(id)
    if (secret.goneAt !== null || secret.recoverableUntil !== null) {
      const why = "You can't perform this operation on the secret because it was marked for deletion."
      throw new AwsError('InvalidRequestException', why)
    }
    return secret
  }

  #all(): Secret[] {
    const now = this.#account.clock.now()
    for (const [name, { goneAt, recoverableUntil }] of this.#secrets) {
      if ((goneAt ?? recoverableUntil ?? Infinity) <= now) this.#secrets.delete(name)
    }
    return [...this.#secrets.values()]
  }

  create(input: sdk.CreateSecretRequest): sdk.CreateSecretResponse {
    const known = ['Name', 'ClientRequestToken', 'Description', 'KmsKeyId', 'SecretString', 'Tags']
    assertModelled(input, known, 'CreateSecret')
    const name = input.Name!
    if (!/^[\w/+=.@-]{1,512}$/.test(name)) throw new AwsError('ValidationException', 'Invalid name.')
    const token = input.ClientRequestToken ?? ''
    // S: length of the token in the SDK's model.
    if (token.length < 32 || token.length > 64)
      throw invalid('ClientRequestToken must be 32-64 characters long.')
    if (Buffer.byteLength(input.SecretString ?? '') > largestBytes) {
      throw new AwsError('ValidationException', 'The secret value can not exceed 65536 bytes')
    }
    const old = this.#all().find((secret) => secret.name === name)
    if (old) return this.#again(old, input)
    const suffix = Array.from({ length: 6 }, () => 'abcdefghijKLMNOPQRST'[randomInt(20)]).join('')
    const { region, account, clock } = this.#account
    const secret: Secret = {
      arn: `arn:aws:secretsmanager:${region}:${account}:secret:${name}-${suffix}`,
      name,
      version: token,
      text: input.SecretString ?? '',
      tags: input.Tags ?? [],
      key: input.KmsKeyId,
      description: input.Description,
      createdAt: clock.now(),
      goneAt: null,
      recoverableUntil: null,
    }
    this.#secrets.set(name, secret)
    this.#lag.made(name)
    return { ARN: secret.arn, Name: name, VersionId: token }
  }

  /** The same token with the same content is the same request (D: CreateSecret). */
  #again(old: Secret, input: sdk.CreateSecretRequest): sdk.CreateSecretResponse {
    if (old.goneAt !== null || old.recoverableUntil !== null) {
      const why =
        "You can't create this secret because a secret with this name is already scheduled for deletion."
      throw new AwsError('InvalidRequestException', why)
    }
    if (old.version === input.ClientRequestToken && old.text === (input.SecretString ?? '')) {
      return { ARN: old.arn, Name: old.name, VersionId: old.version }
    }
    throw new AwsError(
      'ResourceExistsException',
      `The operation failed because the secret ${old.name} already exists.`,
    )
  }

  delete(input: sdk.DeleteSecretRequest): sdk.DeleteSecretResponse {
    const known = ['SecretId', 'ForceDeleteWithoutRecovery', 'RecoveryWindowInDays']
    assertModelled(input, known, 'DeleteSecret')
    const { SecretId: id, ForceDeleteWithoutRecovery: isForced, RecoveryWindowInDays: days } = input
    if (isForced && days !== undefined)
      throw invalid("You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.")
    if (days !== undefined && (days < 7 || days > 30))
      throw invalid('RecoveryWindowInDays must be between 7 and 30.')
    const now = this.#account.clock.now()
    const secret = this.#all().find((one) => one.name === id || one.arn === id)
    // A forced removal of what is not there is none the less done (D: DeleteSecret).
    if (!secret && isForced) return { Name: id!, DeletionDate: new Date(now) }
    if (!secret) throw notFound()
    if (isForced) secret.goneAt ??= now + removalMs
    else secret.recoverableUntil ??= now + (days ?? 30) * dayMs
    return {
      ARN: secret.arn,
      Name: secret.name,
      DeletionDate: new Date(secret.goneAt ?? secret.recoverableUntil!),
    }
  }

  list(input: sdk.ListSecretsRequest): sdk.ListSecretsResponse {
    assertModelled(input, ['MaxResults', 'NextToken', 'Filters', 'IncludePlannedDeletion'], 'ListSecrets')
    const prefixes = (input.Filters ?? []).map(({ Key, Values }) => {
      if (Key !== 'name') throw new NotModelled(`a filter of secrets by ${Key}`)
      return Values ?? []
    })
    const found = this.#all()
      .filter(({ name }) => this.#lag.shows(name))
      .filter(({ goneAt }) => goneAt === null)
      .filter(({ recoverableUntil }) => recoverableUntil === null || input.IncludePlannedDeletion)
      .filter(({ name }) => prefixes.every((values) => values.some((value) => name.startsWith(value))))
    const pageSize = Math.min(input.MaxResults ?? 100, 20)
    const { page, next } = paged(found, input.NextToken, {
      pageSize,
      key: ({ name }) => name,
      error: 'InvalidNextTokenException',
    })
    return { SecretList: page.map(described), ...(next && { NextToken: next }) }
  }
}

function described(secret: Secret): sdk.SecretListEntry {
  return {
    ARN: secret.arn,
    Name: secret.name,
    Tags: secret.tags,
    KmsKeyId: secret.key,
    Description: secret.description,
    CreatedDate: new Date(secret.createdAt),
    ...(secret.recoverableUntil !== null && { DeletedDate: new Date(secret.recoverableUntil) }),
  }
}

/** What ECS injects: `ARN`, `ARN:KEY:STAGE:VERSION`, words as a stopped task has them (D: "ResourceInitializationError"). */
function readValue(secrets: Secrets, valueFrom: string): string {
  const parts = valueFrom.split(':')
  const [key = '', stage = '', version = ''] = parts.slice(7)
  const failed = (message: string) =>
    new AwsError(
      'ResourceInitializationError',
      `unable to pull secrets or registry auth: execution resource retrieval failed: ${message}`,
    )
  if (parts.length < 7) throw failed(`invalid secret ARN ${valueFrom}`)
  if (stage !== '' || version !== '') throw new NotModelled('an older version of a secret')
  let text: string
  try {
    text = secrets.live(parts.slice(0, 7).join(':')).text
  } catch (error) {
    const { name, message } = error as AwsError
    throw failed(
      `unable to retrieve secret from asm: service call has been retried 1 time(s): ${name}: ${message}`,
    )
  }
  if (key === '') return text
  const value = (JSON.parse(text) as Record<string, unknown>)[key]
  if (value === undefined)
    throw failed(`retrieved secret from Secrets Manager did not contain json key ${key}`)
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** What stacks make of it. */
export interface SecretMaker {
  /** One whose text the account makes; gives its ARN. @throws AwsError */
  create(secret: { name: string; length: number; isPlain: boolean; tags: sdk.Tag[]; key?: string }): string
  remove(arn: string): void
  /** @throws AwsError */
  read(arn: string): string
}

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

/** S: of GetRandomPassword: all of ASCII's that are punctuation come to letters and digits unless they are excluded. */
function randomText(length: number, isPlain: boolean): string {
  const all = isPlain ? letters : `${letters}!"#$%&'()*+,-./:;<=>?@[\\]^_\`{|}~`
  return Array.from({ length }, () => all[randomInt(all.length)]).join('')
}

function makerOf(secrets: Secrets): SecretMaker {
  return {
    create({ name, length, isPlain, tags, key }) {
      const { ARN } = secrets.create({
        Name: name,
        ClientRequestToken: randomUUID(),
        SecretString: randomText(length, isPlain),
        Tags: tags,
        ...(key !== undefined && { KmsKeyId: key }),
      })
      return ARN!
    },
    // J: a stack that goes leaves no time in which its secret could be had back.
    remove: (arn) => void secrets.delete({ SecretId: arn, ForceDeleteWithoutRecovery: true }),
    read: (arn) => secrets.live(arn).text,
  }
}

export function createSecrets(account: FakeAccount): {
  service: FakeService
  values: SecretValues
  maker: SecretMaker
} {
  const secrets = new Secrets(account)
  const actions: FakeService['actions'] = {
    CreateSecret: async (input: sdk.CreateSecretRequest) => secrets.create(input),
    DeleteSecret: async (input: sdk.DeleteSecretRequest) => secrets.delete(input),
    ListSecrets: async (input: sdk.ListSecretsRequest) => secrets.list(input),
    DescribeSecret: async (input: sdk.DescribeSecretRequest) => described(secrets.find(input.SecretId!)),
    GetSecretValue: async (input: sdk.GetSecretValueRequest): Promise<sdk.GetSecretValueResponse> => {
      assertModelled(input, ['SecretId'], 'GetSecretValue')
      const { arn, name, version, text, createdAt } = secrets.live(input.SecretId!)
      const CreatedDate = new Date(createdAt)
      return {
        ARN: arn,
        Name: name,
        VersionId: version,
        SecretString: text,
        VersionStages: ['AWSCURRENT'],
        CreatedDate,
      }
    },
  }
  return {
    service: { scope: 'secretsmanager', sdk, actions },
    values: { read: (from) => readValue(secrets, from) },
    maker: makerOf(secrets),
  }
}
