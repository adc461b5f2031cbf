import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import { heldResources } from '../../src/account/held-resources.ts'
import { claimInstalledMark, removeInstalledMark } from '../../src/account/installed-mark.ts'
import { leftResources, withData } from '../../src/account/left-resources.ts'
import { findStacks, makeStacks } from '../../src/account/make-stacks.ts'
import { removeStacks } from '../../src/account/remove-stacks.ts'
import type { AwsPlaces } from '../../src/domain/aws-places.ts'
import type { RackError } from '../../src/domain/error.ts'
import { withDeadline } from '../../src/lib/deadline.ts'
import { until } from '../../src/lib/poll.ts'
import { AwsError } from '../fake-aws/fake-service.ts'
import { controlFor } from '../support/docker-rack.ts'
import { listeningControl, openEmptyAccount } from '../support/installation.ts'

let own: Awaited<ReturnType<typeof openEmptyAccount>>
let base: string

before(async () => {
  own = await openEmptyAccount({ factor: 500 })
  base = `rack-${own.rack}-base`
})
/** Keys go in thirty days; all else must be gone. */
afterEach(async () => {
  await removeStacks(own.account, { rack: own.rack, data: true }, controlFor(60_000))
  assert.deepEqual(new Set(await own.held()), new Set(['AWS::KMS::Key']))
})
after(async () => {
  await own.close()
  assert.deepEqual(own.aws.troubles, [])
  assert.deepEqual(own.aws.calls.refused, [])
})

const statusOf = async (name: string) => {
  const { Stacks = [] } = await own.account.clients.stacks.describeStacks({ StackName: name })
  return Stacks[0]?.StackStatus
}

const settles = async (name: string, status: string) =>
  await until(async () => (await statusOf(name)) === status, {
    deadlineMs: 20_000,
    what: `${name} to be ${status}`,
  })

test('a first installation that fails can be made again, or taken away', async () => {
  const { rack, aws, account, wanted, held } = own
  aws.stacks.failNext(`rack-${rack}`, 'Balancer', 'no more load balancers')
  await assert.rejects(makeStacks(account, wanted(), controlFor(60_000)), {
    code: 'engine-failed',
    message: `the stack rack-${rack} was not changed: Balancer: no more load balancers`,
  })
  await removeStacks(account, { rack, data: true }, controlFor(60_000))
  assert.equal(await findStacks(account, rack, controlFor(60_000)), null)
  assert.deepEqual(new Set(await held()), new Set(['AWS::KMS::Key']))
  aws.stacks.failNext(base, 'FileTarget2', 'no address is free')
  await assert.rejects(makeStacks(account, wanted(), controlFor(60_000)), /FileTarget2: no address is free/)
  assert.equal(await statusOf(base), 'ROLLBACK_COMPLETE')
  await makeStacks(account, wanted(), controlFor(60_000))
})

/** An installer that dies at its first call of an action: none of its later ones is done or answered. */
async function dieAt(action: string, when: 'before' | 'after', accessKeyId: string): Promise<void> {
  const { aws, installer, wanted } = own
  const died = aws.calls.kill(accessKeyId, { at: `cloudformation:${action}`, when })
  const ending = new AbortController()
  const dead = makeStacks(installer(accessKeyId), wanted(), {
    signal: ending.signal,
    report: () => undefined,
  })
  await withDeadline({ deadlineMs: 20_000, what: `a call of ${action}` }, async () => await died)
  ending.abort(new Error('it is dead'))
  await assert.rejects(dead)
}

for (const [at, when] of [
  ['ExecuteChangeSet', 'before'],
  ['ExecuteChangeSet', 'after'],
  ['UpdateTerminationProtection', 'before'],
] as const) {
  test(`an installer that was killed ${when} ${at} is taken up by the next one`, async () => {
    const { rack, account, wanted } = own
    await dieAt(at, when, `AKIA${when}${at}`.slice(0, 20).toUpperCase())
    const { heard, control } = listeningControl()
    await makeStacks(account, wanted(), control)
    assert.deepEqual(
      [await statusOf(base), await statusOf(`rack-${rack}`)],
      ['CREATE_COMPLETE', 'CREATE_COMPLETE'],
    )
    assert.ok(heard.includes(`rack-${rack}: rack-${rack} CREATE_COMPLETE`), heard.join('\n'))
  })
}

test('a first stack that failed behind the back of whoever began it is made again', async () => {
  const { aws, account, wanted } = own
  aws.stacks.failNext(base, 'Zone', 'too many zones')
  await dieAt('ExecuteChangeSet', 'after', 'AKIAROLLEDBACK')
  await settles(base, 'ROLLBACK_COMPLETE')
  await makeStacks(account, wanted(), controlFor(60_000))
  assert.equal(await statusOf(base), 'CREATE_COMPLETE')
})

test('of an installer that was killed before it made anything nothing is left', async () => {
  const { rack, account } = own
  await dieAt('ExecuteChangeSet', 'before', 'AKIAMADENOTHING')
  assert.equal(await statusOf(base), 'REVIEW_IN_PROGRESS')
  await removeStacks(account, { rack, data: true }, controlFor(60_000))
  await assert.rejects(statusOf(base), /does not exist/)
})

test('Ctrl-C ends the wait and leaves the stack to finish; the next call goes on', async () => {
  const { rack, account, wanted } = own
  const ending = new AbortController()
  const report = () => ending.abort(new Error('interrupted'))
  await assert.rejects(makeStacks(account, wanted(), { signal: ending.signal, report }), /interrupted/)
  await settles(base, 'CREATE_COMPLETE')
  await assert.rejects(statusOf(`rack-${rack}`), /does not exist/)
  await makeStacks(account, wanted(), controlFor(60_000))
})

test('a change that fails is taken back and said; a rollback that gets stuck is continued once', async () => {
  const { rack, aws, account, wanted } = own
  await makeStacks(account, wanted(), controlFor(60_000))
  const more = wanted({ daemonFrom: ['10.0.0.0/8'] })
  const fails = async () => await makeStacks(account, more, controlFor(60_000))
  aws.stacks.failNext(base, 'Processes', 'no more rules')
  await assert.rejects(fails(), { message: `the stack ${base} was not changed: Processes: no more rules` })
  assert.equal(await statusOf(base), 'UPDATE_ROLLBACK_COMPLETE')

  const whole = wanted({
    networkBalancer: true,
    images: { tool: 'tool@sha256:1', builder: 'builder@sha256:1' },
  })
  const stack = `rack-${rack}`
  aws.stacks.failNext(stack, 'BuildProject', 'no more projects')
  aws.stacks.stickNext(stack, 'NetworkBalancer', 'it is in use')
  await assert.rejects(makeStacks(account, whole, controlFor(60_000)), {
    message: `the stack ${stack} was not changed: BuildProject: no more projects`,
  })
  assert.equal(await statusOf(stack), 'UPDATE_ROLLBACK_COMPLETE')
  aws.stacks.failNext(stack, 'BuildProject', 'no more projects')
  for (const why of ['it is in use', 'it is still in use'])
    aws.stacks.stickNext(stack, 'NetworkBalancer', why)
  await assert.rejects(makeStacks(account, whole, controlFor(60_000)), {
    message: `the stack ${stack} can be brought neither forward nor back: NetworkBalancer: it is still in use`,
  })
  assert.equal(await statusOf(stack), 'UPDATE_ROLLBACK_FAILED')
  // Once nothing keeps it any more, the next call brings it back and then forward.
  await makeStacks(account, whole, controlFor(60_000))
  assert.equal(await statusOf(stack), 'UPDATE_COMPLETE')
  // What is stuck can still be removed.
  for (const why of ['it is in use', 'it is still in use']) aws.stacks.stickNext(stack, 'HttpListener', why)
  aws.stacks.failNext(stack, 'HttpsListener', 'no such certificate')
  const onTls = { ...whole, certificate: 'arn:aws:acm:eu-test-1:123456789012:certificate/none' }
  await assert.rejects(makeStacks(account, onTls, controlFor(60_000)), /HttpListener: it is still in use/)
})

test('what data or the rack hangs on is neither replaced nor removed unless it is named', async () => {
  const { rack, account, wanted, held } = own
  await makeStacks(
    account,
    wanted({ network: { kind: 'own', nat: true }, networkBalancer: true }),
    controlFor(60_000),
  )
  const before = await held()
  const refused = (resources: string[], stack: string) => (error: RackError) => {
    assert.deepEqual([error.code, error.details], ['conflict', { stack, resources }])
    return resources.every((name) => error.message.includes(`${name} (AWS::`))
  }
  const without = { network: { kind: 'own' as const, nat: true }, networkBalancer: false }
  await assert.rejects(
    makeStacks(account, wanted(without), controlFor(60_000)),
    refused(['NetworkBalancer'], `rack-${rack}`),
  )
  assert.deepEqual(await held(), before)
  await makeStacks(account, wanted({ ...without, replace: ['NetworkBalancer'] }), controlFor(60_000))
  const lost = ['A', 'B'].flatMap((zone) =>
    ['Private', 'NatAddress', 'Nat', 'PrivateRoutes', 'PrivateRoute', 'PrivateRoutesOf'].map(
      (name) => name + zone,
    ),
  )
  await assert.rejects(makeStacks(account, wanted(), controlFor(60_000)), (error: RackError) => {
    const { resources } = error.details as { resources: string[] }
    assert.ok(
      lost.every((name) => resources.includes(name)),
      resources.join(),
    )
    return true
  })
  const network = {
    kind: 'given' as const,
    vpc: 'vpc-00000000000000001',
    subnets: ['subnet-00000000000000001', 'subnet-00000000000000002'],
    balancerSubnets: ['subnet-00000000000000001', 'subnet-00000000000000002'],
    assignsPublicIp: true,
  }
  await assert.rejects(
    makeStacks(account, wanted({ ...without, network }), controlFor(60_000)),
    /Processes \(AWS::EC2::SecurityGroup\) would be replaced/,
  )
  assert.equal((await held()).length, before.length - 1)
})

test("with a certificate of the rack's domain the web is on 443, and 80 leads there", async () => {
  const { aws, account, wanted } = own
  const { rack: before } = await makeStacks(account, wanted(), controlFor(60_000))
  const certificate = await aws.certificates.add(['example.com', '*.example.com'])
  const { rack: after } = await makeStacks(account, wanted({ certificate }), controlFor(60_000))
  assert.equal(after['HttpListener'], before['HttpListener'])
  const { Listeners = [] } = await account.clients.balancers.describeListeners({
    LoadBalancerArn: after['Balancer'],
  })
  const https = Listeners.find(({ Port }) => Port === 443)
  assert.deepEqual(
    [https?.ListenerArn, https?.Certificates?.map(({ CertificateArn }) => CertificateArn)],
    [after['HttpsListener'], [certificate]],
  )
  const answer = await fetch(`http://127.0.0.1:${aws.loopbackPort('web', 80)}/a?b`, { redirect: 'manual' })
  assert.deepEqual([answer.status, answer.headers.get('location')], [301, 'https://127.0.0.1:443/a?b'])
})

test('with its data an installation goes but for its key, and the base is protected until then', async () => {
  const { rack, account, wanted } = own
  const { base: outputs } = await makeStacks(account, wanted(), controlFor(60_000))
  const { objects, stacks } = account.clients
  await objects.putObject({ Bucket: outputs['Bucket'], Key: 'sources/shop/1.tar', Body: 'source' })
  await assert.rejects(stacks.deleteStack({ StackName: base }), /TerminationProtection is enabled/)
  const left = await removeStacks(account, { rack, data: true }, controlFor(60_000))
  assert.deepEqual(left, [{ type: 'AWS::KMS::Key', id: outputs['Key']!.split('/')[1] }])
})

const byType = (a: { type: string }, b: { type: string }) => (a.type < b.type ? -1 : 1)

test('a removal that failed when the stacks were gone goes on, since what the base held is known', async () => {
  const { rack, account, aws, wanted } = own
  const { base: outputs } = await makeStacks(account, wanted(), controlFor(60_000))
  const [bucket, fileSystem, key] = ['Bucket', 'FileSystem', 'Key'].map((name) => outputs[name]!)
  const held = heldResources({ bucket, fileSystem, key } as AwsPlaces)
  const mark = { clients: account.clients, bucket: bucket! }
  await claimInstalledMark(mark, { host: 'here', directory: '/rack' }, controlFor(60_000))
  const remove = async () => {
    await removeInstalledMark(mark, controlFor(60_000))
    return await removeStacks(account, { rack, data: true, held }, controlFor(60_000))
  }
  aws.faults.set('elasticfilesystem:DeleteFileSystem', { error: new AwsError('BadRequest', 'not now', 400) })
  await assert.rejects(remove(), /not now/)
  aws.faults.clear()
  assert.equal(await statusOf(base).catch(() => 'gone'), 'gone')
  await assert.rejects(account.clients.objects.listObjectsV2({ Bucket: bucket }), /NoSuchBucket/)
  const left = [{ type: 'AWS::KMS::Key', id: key!.split('/')[1] }]
  // Also for whoever knows nothing but the name.
  const told = await leftResources(account, rack, controlFor(60_000))
  assert.deepEqual(told.toSorted(byType), held.toSorted(byType))
  assert.deepEqual(await withData(account, told, controlFor(60_000)), [
    { type: 'AWS::EFS::FileSystem', id: fileSystem },
  ])
  assert.deepEqual(await remove(), left)
  await assert.rejects(account.clients.files.describeAccessPoints({ FileSystemId: fileSystem }), /NotFound/)
  assert.deepEqual(await remove(), left)
})
