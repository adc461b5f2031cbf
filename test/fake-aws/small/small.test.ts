import assert from 'node:assert/strict'
import { rm, stat } from 'node:fs/promises'
import { after, before, test } from 'node:test'
import { CloudWatchLogs } from '@aws-sdk/client-cloudwatch-logs'
import { ECR } from '@aws-sdk/client-ecr'
import { EFS } from '@aws-sdk/client-efs'
import { S3 } from '@aws-sdk/client-s3'
import { SecretsManager } from '@aws-sdk/client-secrets-manager'
import { ServiceQuotas } from '@aws-sdk/client-service-quotas'
import { STS } from '@aws-sdk/client-sts'
import { createFakeAccount } from '../account.ts'
import { clientConfig } from '../client-config.ts'
import { type FakeServer, startServer } from '../server.ts'
import { createFileSystems } from './file-systems.ts'
import { createIdentity } from './identity.ts'
import { createImages } from './images.ts'
import { createLogs } from './logs.ts'
import { createObjects } from './objects.ts'
import { createQuotas } from './quotas.ts'
import { createSecrets } from './secrets.ts'

// Slow enough for a test to be there while something goes.
const account = await createFakeAccount({ factor: 4 })
const secrets = createSecrets(account)
const logs = createLogs(account)
const efs = createFileSystems(account)
const objects = createObjects(account)
const images = createImages(account)
let server: FakeServer
const using = <T>(make: (config: ReturnType<typeof clientConfig>) => T): T => make(clientConfig(server))

before(async () => {
  const all = [secrets, logs, efs, objects, images].map(({ service }) => service)
  server = await startServer({
    ...account,
    services: [...all, createIdentity(account), createQuotas(account)],
  })
})
after(async () => {
  await server.close()
  await images.service.close?.()
  account.clock.close()
  await rm(account.directory, { recursive: true })
  assert.deepEqual(account.troubles, [])
})

const token = 'a'.repeat(32)

test('secrets: one name one secret, the same request twice is one, a name is kept while it goes', async () => {
  const client = using((config) => new SecretsManager(config))
  const given = { Name: 'rack/r/a/web-G1', SecretString: '{"A":"1"}', ClientRequestToken: token }
  const { ARN } = await client.createSecret(given)
  assert.equal((await client.createSecret(given)).ARN, ARN)
  await assert.rejects(client.createSecret({ ...given, SecretString: '{}' }), {
    name: 'ResourceExistsException',
  })
  await assert.rejects(client.createSecret({ ...given, Name: 'b', SecretString: 'x'.repeat(65_537) }), {
    name: 'ValidationException',
  })
  assert.equal(secrets.values.read(`${ARN}:A::`), '1')
  assert.throws(() => secrets.values.read(`${ARN}:B::`), /did not contain json key B/)
  await account.clock.pass(2000)
  const list = async () =>
    (await client.listSecrets({ Filters: [{ Key: 'name', Values: ['rack/r/a/'] }] })).SecretList?.length
  assert.equal(await list(), 1)
  await client.deleteSecret({ SecretId: given.Name, ForceDeleteWithoutRecovery: true })
  await assert.rejects(client.createSecret(given), { name: 'InvalidRequestException' })
  assert.throws(() => secrets.values.read(ARN!), /InvalidRequestException/)
  await account.clock.pass(3100)
  await client.deleteSecret({ SecretId: given.Name, ForceDeleteWithoutRecovery: true })
  await assert.rejects(client.getSecretValue({ SecretId: given.Name }), { name: 'ResourceNotFoundException' })
  await client.createSecret(given)
})

test('logs: lines come late, in pages, some of them empty, by prefix of their streams', async () => {
  const client = using((config) => new CloudWatchLogs(config))
  const logGroupName = '/rack/r/a'
  await assert.rejects(client.filterLogEvents({ logGroupName }), { name: 'ResourceNotFoundException' })
  await client.createLogGroup({ logGroupName })
  const line = (at: number) => ({ timeMs: 1000 + at, text: `line ${at}` })
  logs.lines.append(
    logGroupName,
    'web.R1/main/1',
    Array.from({ length: 60 }, (_, at) => line(at)),
  )
  logs.lines.append(logGroupName, 'web.R1/main/2', [line(60)])
  logs.lines.append(logGroupName, 'db.R1/main/3', [line(61)])
  await account.clock.pass(5000)
  const found: string[] = []
  const sizes: number[] = []
  let nextToken: string | undefined
  do {
    const page = await client.filterLogEvents({
      logGroupName,
      logStreamNamePrefix: 'web.',
      startTime: 1001,
      nextToken,
    })
    found.push(...page.events!.map(({ message }) => message!))
    sizes.push(page.events!.length)
    nextToken = page.nextToken
  } while (nextToken)
  assert.deepEqual([found.length, new Set(found).size, found[0], found.at(-1)], [60, 60, 'line 1', 'line 60'])
  assert.deepEqual(sizes, [0, 50, 10])
  const { logStreams } = await client.describeLogStreams({ logGroupName, logStreamNamePrefix: 'web.' })
  assert.deepEqual(
    logStreams?.map(({ logStreamName }) => logStreamName),
    ['web.R1/main/1', 'web.R1/main/2'],
  )
  await assert.rejects(client.filterLogEvents({ logGroupName, filterPattern: 'x' }), {
    name: 'NotModelledException',
  })
})

test('file systems: an access point per token, its directory made as it says', async () => {
  const client = using((config) => new EFS(config))
  efs.fileSystems.add('fs-1')
  const RootDirectory = { Path: '/a/data', CreationInfo: { OwnerUid: 0, OwnerGid: 0, Permissions: '0755' } }
  const given = {
    ClientToken: 'a/data',
    FileSystemId: 'fs-1',
    RootDirectory,
    Tags: [{ Key: 'rack:app', Value: 'a' }],
  }
  const { AccessPointId } = await client.createAccessPoint(given)
  await assert.rejects(client.createAccessPoint(given), { name: 'AccessPointAlreadyExists', AccessPointId })
  await account.clock.pass(1100)
  const { AccessPoints } = await client.describeAccessPoints({ FileSystemId: 'fs-1' })
  assert.deepEqual(
    AccessPoints?.map(({ LifeCycleState, Tags }) => [LifeCycleState, Tags]),
    [['available', given.Tags]],
  )
  const path = efs.fileSystems.path('fs-1', AccessPointId!)
  assert.equal((await stat(path)).mode & 0o777, 0o755)
  await client.deleteAccessPoint({ AccessPointId: AccessPointId! })
  await assert.rejects(client.deleteAccessPoint({ AccessPointId: AccessPointId! }), {
    name: 'AccessPointNotFound',
  })
  await assert.rejects(client.describeAccessPoints({ FileSystemId: 'fs-2' }), { name: 'FileSystemNotFound' })
})

test('objects: written, read, listed in pages, written once', async () => {
  const client = using((config) => new S3(config))
  objects.buckets.add('bucket')
  const Bucket = 'bucket'
  for (let at = 0; at < 60; at += 1)
    await client.putObject({ Bucket, Key: `a/${String(at).padStart(2, '0')}`, Body: String(at) })
  const once = client.putObject({ Bucket, Key: 'a/00', Body: 'again', IfNoneMatch: '*' })
  await assert.rejects(once, { name: 'PreconditionFailed' })
  const { Contents, NextContinuationToken: ContinuationToken } = await client.listObjectsV2({
    Bucket,
    Prefix: 'a/',
  })
  const rest = await client.listObjectsV2({ Bucket, Prefix: 'a/', ContinuationToken })
  assert.deepEqual([Contents?.length, rest.Contents?.length, rest.IsTruncated], [50, 10, false])
  assert.equal((await client.headObject({ Bucket, Key: 'a/59' })).ContentLength, 2)
  await client.deleteObject({ Bucket, Key: 'a/59' })
  await assert.rejects(client.getObject({ Bucket, Key: 'a/59' }), { name: 'NoSuchKey' })
  await assert.rejects(client.headObject({ Bucket: 'other', Key: 'a' }), { name: 'NotFound' })
})

test('images: by digest what was pushed, by name what Docker has', async () => {
  const client = using((config) => new ECR(config))
  images.repositories.create('rack/r/a')
  const reference = await images.repositories.push('rack/r/a', 'busybox:1')
  const id = await images.images.resolve('busybox:1')
  assert.match(id, /^sha256:/)
  assert.equal(await images.images.resolve(reference), id)
  assert.equal(await images.images.resolve(id), id)
  const imageDigest = reference.split('@')[1]!
  const { failures } = await client.batchDeleteImage({
    repositoryName: 'rack/r/a',
    imageIds: [{ imageDigest }, { imageDigest: 'sha256:0' }],
  })
  assert.equal(failures?.length, 1)
  await assert.rejects(images.images.resolve(reference), { name: 'CannotPullContainerError' })
})

test('who calls, and how much may run', async () => {
  const { Account, Arn } = await using((config) => new STS(config)).getCallerIdentity()
  assert.deepEqual([Account, Arn], [account.account, `arn:aws:iam::${account.account}:user/AKIAFAKE`])
  const client = using((config) => new ServiceQuotas(config))
  const { Quota } = await client.getServiceQuota({ ServiceCode: 'fargate', QuotaCode: 'L-3032A538' })
  assert.equal(Quota?.Value, 64)
})
