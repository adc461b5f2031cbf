import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as ecs from '@aws-sdk/client-ecs'
import * as efs from '@aws-sdk/client-efs'
import * as elb from '@aws-sdk/client-elastic-load-balancing-v2'
import * as route53 from '@aws-sdk/client-route-53'
import * as s3 from '@aws-sdk/client-s3'
import * as sts from '@aws-sdk/client-sts'
import { createFakeClock } from './clock.ts'
import { type Action, AwsError, type FakeService } from './fake-service.ts'
import { type FakeServer, startServer } from './server.ts'

/** The real clients against services that keep what they were asked and answer what the test wants. */
const asked: Record<string, unknown> = {}
let answers: Record<string, () => object> = {}

const service = (scope: string, sdk: Record<string, unknown>, names: string[]): FakeService => ({
  scope,
  sdk,
  actions: Object.fromEntries(
    names.map((name): [string, Action] => [
      name,
      async (input) => {
        asked[name] = input
        return answers[name]?.() ?? {}
      },
    ]),
  ),
})

let server: FakeServer
const troubles: unknown[] = []
const clock = createFakeClock()

before(async () => {
  server = await startServer({
    clock,
    onTrouble: (error) => troubles.push(error),
    services: [
      service('ecs', ecs, ['CreateService', 'DescribeServices']),
      service('elasticloadbalancing', elb, ['CreateRule', 'DescribeTargetGroups', 'DeleteRule']),
      service('route53', route53, ['ChangeResourceRecordSets', 'ListResourceRecordSets']),
      service('elasticfilesystem', efs, ['CreateAccessPoint', 'DescribeAccessPoints', 'DeleteAccessPoint']),
      service('s3', s3, ['PutObject', 'GetObject', 'HeadObject', 'ListObjectsV2', 'DeleteObject']),
      service('sts', sts, ['GetCallerIdentity']),
    ],
  })
})
after(async () => {
  clock.close()
  await server.close()
  assert.deepEqual(troubles, [])
})

const config = () => ({
  endpoint: server.endpoint,
  region: 'eu-test-1',
  credentials: { accessKeyId: 'AKIATEST', secretAccessKey: 'secret' },
  maxAttempts: 1,
})

test('JSON: nested input, times, errors by their names', async () => {
  using client = disposable(new ecs.ECSClient(config()))
  const createdAt = new Date(1_700_000_000_000)
  answers = {
    CreateService: () => ({ service: { serviceName: 'A', createdAt, tags: [{ key: 'a', value: 'b' }] } }),
  }
  const input = {
    serviceName: 'A',
    taskDefinition: 't',
    desiredCount: 2,
    tags: [{ key: 'a', value: '' }],
    enableECSManagedTags: false,
  }
  const { service: made } = await client.send(new ecs.CreateServiceCommand(input))
  assert.deepEqual(asked['CreateService'], input)
  assert.deepEqual(made, { serviceName: 'A', createdAt, tags: [{ key: 'a', value: 'b' }] })
  answers = {
    DescribeServices: () => {
      throw new AwsError('ClusterNotFoundException', 'Cluster not found.')
    },
  }
  const refused = client.send(new ecs.DescribeServicesCommand({ services: ['A'] }))
  await assert.rejects(
    refused,
    (error: Error) => error instanceof ecs.ClusterNotFoundException && error.message === 'Cluster not found.',
  )
})

test('requests that AWS would refuse are refused, and noted', async () => {
  using client = disposable(new ecs.ECSClient(config()))
  server.calls.reset()
  const missing = client.send(new ecs.CreateServiceCommand({ taskDefinition: 't' } as never))
  await assert.rejects(missing, {
    name: 'InvalidParameterException',
    message: 'the request: serviceName is missing',
  })
  const nested = client.send(
    new ecs.CreateServiceCommand({
      serviceName: 'A',
      networkConfiguration: { awsvpcConfiguration: {} },
    } as never),
  )
  await assert.rejects(nested, /awsvpcConfiguration: .*subnets is missing/)
  const wrong = client.send(new ecs.CreateServiceCommand({ serviceName: 'A', desiredCount: '2' } as never))
  await assert.rejects(wrong, /desiredCount: must be a number/)
  await assert.rejects(client.send(new ecs.DeleteServiceCommand({ service: 'A' })), {
    name: 'UnknownOperationException',
  })
  const body = JSON.stringify({ serviceName: 'A', nonsense: 1 })
  const authorization =
    'AWS4-HMAC-SHA256 Credential=K/20260101/r/ecs/aws4_request, SignedHeaders=host, Signature=0'
  const headers = { authorization, 'x-amz-target': 'AmazonEC2ContainerServiceV20141113.CreateService' }
  const raw = await fetch(server.endpoint, { method: 'POST', headers, body })
  assert.equal(raw.status, 400)
  assert.match(await raw.text(), /unknown member nonsense/)
  assert.equal(server.calls.refused.length, 5)
})

test('query: lists of structures, XML answers, errors by the names of their classes', async () => {
  using client = disposable(new elb.ElasticLoadBalancingV2Client(config()))
  const input: elb.CreateRuleCommandInput = {
    ListenerArn: 'arn:l',
    Priority: 7,
    Conditions: [{ Field: 'host-header', HostHeaderConfig: { Values: ['a.b', 'c & d'] } }],
    Actions: [{ Type: 'forward', ForwardConfig: { TargetGroups: [{ TargetGroupArn: 'arn:g', Weight: 1 }] } }],
  }
  answers = {
    CreateRule: () => ({
      Rules: [{ RuleArn: 'arn:r', Priority: '7', Conditions: input.Conditions, IsDefault: false }],
    }),
  }
  const { Rules } = await client.send(new elb.CreateRuleCommand(input))
  assert.deepEqual(asked['CreateRule'], input)
  assert.deepEqual(Rules, [
    { RuleArn: 'arn:r', Priority: '7', Conditions: input.Conditions, IsDefault: false },
  ])
  answers = {
    DescribeTargetGroups: () => {
      throw new AwsError('TargetGroupNotFoundException', 'One or more target groups not found')
    },
  }
  const missing = client.send(new elb.DescribeTargetGroupsCommand({ Names: ['a'] }))
  await assert.rejects(missing, (error) => error instanceof elb.TargetGroupNotFoundException)
})

test('REST XML: change batches, flags, lists, queries', async () => {
  using client = disposable(new route53.Route53Client(config()))
  const ChangeInfo = { Id: '/change/C1', Status: 'PENDING', SubmittedAt: new Date(1_700_000_000_000) }
  answers = { ChangeResourceRecordSets: () => ({ ChangeInfo }) }
  const record: route53.ResourceRecordSet = {
    Name: 'web.a.r.internal',
    Type: 'CNAME',
    TTL: 5,
    ResourceRecords: [{ Value: 'g1.x' }],
  }
  const batch: route53.ChangeBatch = {
    Comment: 'a <b>',
    Changes: [{ Action: 'UPSERT', ResourceRecordSet: record }],
  }
  const changed = await client.send(
    new route53.ChangeResourceRecordSetsCommand({ HostedZoneId: 'Z1', ChangeBatch: batch }),
  )
  assert.deepEqual(asked['ChangeResourceRecordSets'], { HostedZoneId: 'Z1', ChangeBatch: batch })
  assert.deepEqual(changed.ChangeInfo, ChangeInfo)
  answers = {
    ListResourceRecordSets: () => ({ ResourceRecordSets: [record], IsTruncated: false, MaxItems: 300 }),
  }
  const listed = await client.send(
    new route53.ListResourceRecordSetsCommand({ HostedZoneId: 'Z1', StartRecordName: 'a.r', MaxItems: 5 }),
  )
  assert.deepEqual(asked['ListResourceRecordSets'], {
    HostedZoneId: 'Z1',
    StartRecordName: 'a.r',
    MaxItems: 5,
  })
  assert.deepEqual(listed.ResourceRecordSets, [record])
  answers = {
    ChangeResourceRecordSets: () => {
      throw new AwsError('InvalidChangeBatch', 'no', 400, { messages: ['one', 'two'] })
    },
  }
  const refused = client.send(
    new route53.ChangeResourceRecordSetsCommand({ HostedZoneId: 'Z1', ChangeBatch: batch }),
  )
  await assert.rejects(
    refused,
    (error) => error instanceof route53.InvalidChangeBatch && error.messages?.length === 2,
  )
})

test('REST JSON: labels, queries, empty answers', async () => {
  using client = disposable(new efs.EFSClient(config()))
  answers = { CreateAccessPoint: () => ({ AccessPointId: 'fsap-1', LifeCycleState: 'available' }) }
  const input = { ClientToken: 'a/v', FileSystemId: 'fs-1', Tags: [{ Key: 'a', Value: 'b' }] }
  const made = await client.send(new efs.CreateAccessPointCommand(input))
  assert.deepEqual(asked['CreateAccessPoint'], input)
  assert.equal(made.AccessPointId, 'fsap-1')
  await client.send(new efs.DeleteAccessPointCommand({ AccessPointId: 'fsap-1' }))
  assert.deepEqual(asked['DeleteAccessPoint'], { AccessPointId: 'fsap-1' })
  answers = {
    DeleteAccessPoint: () => {
      throw new AwsError('AccessPointNotFound', 'gone', 404, { ErrorCode: 'AccessPointNotFound' })
    },
  }
  const gone = client.send(new efs.DeleteAccessPointCommand({ AccessPointId: 'fsap-1' }))
  await assert.rejects(gone, (error) => error instanceof efs.AccessPointNotFound)
})

test('S3: buckets in the path, bodies, chunks, what is missing', async () => {
  using client = disposable(new s3.S3Client({ ...config(), forcePathStyle: true }))
  await client.send(
    new s3.PutObjectCommand({ Bucket: 'b', Key: 'a/b c', Body: 'text', Metadata: { one: '1' } }),
  )
  const { Bucket, Key, Body, Metadata } = asked['PutObject'] as s3.PutObjectRequest
  assert.deepEqual(
    [Bucket, Key, Buffer.from(Body as unknown as Uint8Array).toString(), Metadata],
    ['b', 'a/b c', 'text', { one: '1' }],
  )
  answers = { GetObject: () => ({ Body: Buffer.from('text'), ContentLength: 4, ETag: '"1"' }) }
  const got = await client.send(new s3.GetObjectCommand({ Bucket: 'b', Key: 'a' }))
  assert.equal(await got.Body?.transformToString(), 'text')
  answers = { ListObjectsV2: () => ({ KeyCount: 1, IsTruncated: false, Contents: [{ Key: 'a', Size: 4 }] }) }
  const listed = await client.send(new s3.ListObjectsV2Command({ Bucket: 'b', Prefix: 'a' }))
  assert.deepEqual(listed.Contents, [{ Key: 'a', Size: 4 }])
  answers = { GetObject: missing('NoSuchKey'), HeadObject: missing('NotFound') }
  await assert.rejects(
    client.send(new s3.GetObjectCommand({ Bucket: 'b', Key: 'a' })),
    (error) => error instanceof s3.NoSuchKey,
  )
  await assert.rejects(
    client.send(new s3.HeadObjectCommand({ Bucket: 'b', Key: 'a' })),
    (error) => error instanceof s3.NotFound,
  )
})

test('faults: an error, applied and unanswered, a dead caller, throttling', async () => {
  using client = disposable(new sts.STSClient(config()))
  const call = () => client.send(new sts.GetCallerIdentityCommand({}))
  server.faults.set('sts:GetCallerIdentity', {
    error: new AwsError('ExpiredTokenException', 'old'),
    times: 1,
  })
  await assert.rejects(call(), { name: 'ExpiredTokenException' })
  await call()
  server.faults.set('sts:GetCallerIdentity', { appliedButUnanswered: true, times: 1 })
  await assert.rejects(call(), { code: 'ECONNRESET' })
  server.calls.deadKeys.add('AKIATEST')
  await assert.rejects(call(), { code: 'ECONNRESET' })
  server.calls.deadKeys.clear()
  using names = disposable(new route53.Route53Client(config()))
  answers = { ListResourceRecordSets: () => ({ ResourceRecordSets: [], IsTruncated: false, MaxItems: 300 }) }
  const list = () => names.send(new route53.ListResourceRecordSetsCommand({ HostedZoneId: 'Z1' }))
  const told = await Promise.allSettled(Array.from({ length: 20 }, list))
  assert.ok(
    told.some((one) => one.status === 'rejected' && (one.reason as Error).name === 'ThrottlingException'),
  )
})

test('a daemon that dies at a call: it is done or not, and none after it is', async () => {
  using client = disposable(
    new sts.STSClient({ ...config(), credentials: { accessKeyId: 'DAEMON', secretAccessKey: 's' } }),
  )
  const call = () => client.send(new sts.GetCallerIdentityCommand({}))
  let done = 0
  answers = { GetCallerIdentity: () => ({ Account: String(++done) }) }
  for (const [when, times] of [
    ['before', 1],
    ['after', 2],
  ] as const) {
    done = 0
    const died = server.calls.kill('DAEMON', { at: 2, when })
    await call()
    await assert.rejects(call(), { code: 'ECONNRESET' })
    await assert.rejects(call(), { code: 'ECONNRESET' })
    assert.equal((await died).action, 'GetCallerIdentity')
    assert.equal(done, times)
    server.calls.deadKeys.clear()
  }
})

const missing = (name: string) => () => {
  throw new AwsError(name, 'not there', 404)
}

const disposable = <T extends { destroy(): void }>(client: T) =>
  Object.assign(client, { [Symbol.dispose]: () => client.destroy() })
