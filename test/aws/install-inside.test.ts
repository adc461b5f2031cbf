import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, test } from 'node:test'
import { deriveImage } from '../../src/aws/registry/derive-image.ts'
import { createOwnImages, platform } from '../../src/aws/registry/own-images.ts'
import { placeOf } from '../../src/aws/registry/place.ts'
import { ensureStack } from '../../src/aws/stacks.ts'
import { until } from '../../src/lib/poll.ts'
import type { Said } from '../support/command-line.ts'
import { openInstallWorld } from '../support/install-world.ts'
import { startNodeBase } from '../support/node-base.ts'
import { makeSource } from '../support/source.ts'
import { visitLocally } from '../support/visits.ts'

/** A rack whose daemon is a service of the account: nothing of it is on the machine on which it is typed. */
const world = await openInstallWorld()
const base = await startNodeBase()
const { name, region, home, aws, held, run, passes } = world
after(async () => {
  await world.close()
  await base[Symbol.asyncDispose]()
})

const install = ['install', 'aws', '--region', region, '--name', name, '--domain', 'localhost']
const making = [...install, '--node-image', base.image, '--yes']
const compose = `services:
  web:
    build: .
    ports: ["80:8080"]
    environment: { WORD: hello }
`
const dockerfile = `FROM busybox:1
CMD mkdir -p /www && echo "$WORD" > /www/index.html && exec httpd -f -p 8080 -h /www
`

test('plan, install, deploy with a build, login from elsewhere, update, uninstall', async () => {
  const plan = await passes([...install, '--plan'])
  for (const line of [/DaemonService/, /database db\.t4g\.micro of RDS/, /ApiRule/])
    assert.match(plan.stdout, line)

  // As a rack of that name in another Region of the account has one.
  const role = `arn:aws:iam::123456789012:role/rack/${name}/rack-${name}-daemon`
  aws.stacks.inventory.roles.add(role)
  const taken = await run(making)
  assert.match(taken.stderr, new RegExp(`would make: the role rack-${name}-daemon$`, 'm'))
  assert.match(taken.stderr, /Choose another: --name NAME/)
  aws.stacks.inventory.roles.delete(role)

  const installed = await passes(making)
  assert.match(installed.stderr, new RegExp(`^rack-${name}: DaemonService CREATE_COMPLETE$`, 'm'))
  assert.match(installed.stderr, new RegExp(`^${name} is up$`, 'm'))
  assert.equal(installed.stdout, `aws://${region}/${name}\n`)
  assert.ok(!existsSync(join(home, 'first', 'data')), 'a directory of a rack is here')

  await goOnWithAnInstall()

  await using source = await makeSource({ 'docker-compose.yml': compose, Dockerfile: dockerfile })
  await passes(['deploy', '--app', 'shop', source.path])
  const visit = visitLocally(aws.loopbackPort('web', 80))
  const answers = async () => (await visit('shop.localhost'))?.text === 'hello'
  await until(answers, { what: 'the app to answer', deadlineMs: 30_000 })
  const app = await world.clients.stacks.describeStacks({ StackName: `rack-${name}-app-shop` })
  assert.match(app.Stacks![0]!.RoleARN!, new RegExp(`:role/rack/${name}/rack-${name}-stacks$`))

  await loginElsewhere()
  await stopAndStart()
  await chooseAnew()
  await renewCertificate()
  await updateFromEarlier()
  await updateThatFails()
  await updateWithoutService()
  assert.equal(await visitSecurely('shop.localhost'), 'hello')

  const again = await run(making, world.environment('third', 'BOB'))
  assert.match(
    again.stderr,
    new RegExp(`^error: there is a rack "${name}" in ${region} of this account`, 'm'),
  )
  assert.match(again.stderr, /Its daemon is in the account/)

  const leave = ['uninstall', '--region', region, '--rack', name, '--yes']
  const gone = await elsewhere(leave)
  assert.match(gone.stderr, new RegExp(`^${name} is uninstalled$`, 'm'))
  assert.match(gone.stderr, /^what stays in the account:$/m)
  for (const line of [
    /the bucket \S+: aws s3 rb/,
    /a snapshot of the store rack-\S+-base-snapshot-\S+: aws rds delete-db-snapshot/,
    /a snapshot of the store rack-\S+-before-\S+: aws rds delete-db-snapshot/,
    /the key of the store \S+, without which .*: aws secretsmanager delete-secret/,
  ])
    assert.match(gone.stderr, line)
  const data = ['AWS::EFS::FileSystem', 'AWS::KMS::Key', 'AWS::S3::Bucket', 'AWS::SecretsManager::Secret']
  assert.deepEqual([...new Set(await held())], data)
  assert.deepEqual(JSON.parse((await elsewhere(['racks', '--json'])).stdout), [])
  // Here it is still known; of it nothing but its data is left.
  const left = await run(leave)
  assert.match(left.stderr, /^error: of \S+ there is nothing left in eu-test-1 but its data: /m)
  for (const kept of ['SecretsManager::Secret', 'RDS::DBSnapshot'])
    assert.match(left.stderr, new RegExp(kept))
  await passes([...leave, '--volumes'])
  const { DBSnapshots } = await world.clients.databases.describeDBSnapshots({ SnapshotType: 'manual' })
  assert.deepEqual(DBSnapshots, [])
  assert.deepEqual([...new Set(await held())], ['AWS::KMS::Key'])
  assert.deepEqual(JSON.parse((await passes(['racks', '--json'])).stdout), [])
})

/** One that was killed before it said that all is installed: the next one goes on, and changes nothing that stands. */
async function goOnWithAnInstall(): Promise<void> {
  const { objects, stacks } = world.clients
  const { Stacks } = await stacks.describeStacks({ StackName: `rack-${name}-base` })
  const { OutputValue: Bucket } = Stacks![0]!.Outputs!.find(({ OutputKey }) => OutputKey === 'Bucket')!
  await objects.deleteObject({ Bucket, Key: 'installed' })
  await passes(['racks', 'forget', name])
  const before = aws.calls.records.length
  await passes(making)
  const since = aws.calls.records.slice(before).map(({ action }) => action)
  assert.ok(!since.includes('ExecuteChangeSet') && !since.includes('ImportCertificate'), since.join())
}

/** Typed on another machine, by another caller of the account. */
async function elsewhere(args: string[], code = 0): Promise<Said> {
  const said = await run(args, world.environment('second', 'BOB'))
  assert.equal(said.code, code, `rack ${args.join(' ')}\n${said.stdout}\n${said.stderr}`)
  return said
}

const address = `aws://${region}/${name}`

const statusElsewhere = async () =>
  JSON.parse((await elsewhere(['status', '--json'])).stdout) as {
    status: string
    api: string
    account: { id: string; region: string }
  }

async function loginElsewhere(): Promise<void> {
  const login = await elsewhere(['login', address, '--name', 'far'])
  assert.match(login.stderr, /^account 123456789012 as user\/BOB, in eu-test-1$/m)
  assert.match(login.stderr, /^the certificate of its API: ([0-9A-F]{2}:){31}[0-9A-F]{2}$/m)
  assert.match(login.stderr, /^far \(Rack \S+, 1 apps\) is the current rack$/m)
  const racks = JSON.parse((await elsewhere(['racks', '--json'])).stdout) as object[]
  assert.deepEqual(racks, [{ name: 'far', url: address, current: true, directory: null }])
  assert.match((await elsewhere(['apps', '--json'])).stdout, /"shop"/)
  const { status, api, account } = await statusElsewhere()
  assert.deepEqual([status, api, account], ['running', address, { id: '123456789012', region }])
  const { stdout } = await elsewhere(['doctor'])
  const store = /store +the store \S+: available, 20 GB, backups of 7 days/
  for (const check of [
    /credentials/,
    /cluster/,
    store,
    /daemon +1 of 1 tasks/,
    /api +aws:\/\/\S+ answers/,
    /apps/,
  ])
    assert.match(stdout, new RegExp(`^ok +${check.source}`, 'm'))
}

async function stopAndStart(): Promise<void> {
  const stopped = await elsewhere(['stop'])
  assert.match(stopped.stderr, /^far is stopped; its apps run on, and are reached$/m)
  assert.equal((await statusElsewhere()).status, 'stopped')
  const ill = await elsewhere(['doctor'], 1)
  assert.match(ill.stdout, /^BAD +daemon +it is stopped\n +→ rack start --rack far$/m)
  assert.match(ill.stdout, /^BAD +api/m)
  const started = await elsewhere(['start'])
  assert.match(started.stderr, /^far is started, in the account 123456789012$/m)
  const listening = await elsewhere(['start', '--https-port', '443'], 1)
  assert.match(listening.stderr, /for a rack on one machine/)
}

/** What was chosen at the install and may be chosen anew: an app that runs is by TLS then, without a deploy. */
async function chooseAnew(): Promise<void> {
  const other = await aws.certificates.add(['*.example.com'])
  const refused = await elsewhere(['update', '--certificate', other], 1)
  assert.match(
    refused.stderr,
    /^error: the certificate \S+ is of \*\.example\.com, and not of \*\.localhost$/m,
  )
  const certificate = await aws.certificates.add(['*.localhost'])
  const choices = [
    '--certificate',
    certificate,
    '--api-allow',
    '127.0.0.0/8',
    '--cpu',
    '4096',
    '--memory',
    '8g',
  ]
  const plan = await elsewhere(['update', ...choices, '--plan'])
  for (const line of [/Modify +ApiRule/, /Modify +HttpsListener/, /in total: 4096 cpu units and 8 GiB/])
    assert.match(plan.stdout, line)
  await elsewhere(['update', ...choices, '--yes'])
  assert.match((await elsewhere(['capacity'])).stdout, /^total +4096 cpu units and 8 GiB$/m)
  const isSecure = async () => (await visitSecurely('shop.localhost')) === 'hello'
  await until(isSecure, { what: 'the app to answer by TLS', deadlineMs: 30_000 })
  const isLed = async () =>
    (await visitLocally(aws.loopbackPort('web', 80))('shop.localhost'))?.status === 301
  await until(isLed, { what: 'http to lead there', deadlineMs: 30_000 })
  const none = await elsewhere(['update', '--plan'])
  assert.doesNotMatch(none.stdout, /Modify|Add|Remove|Replace/)
}

/** Node believes no `*.localhost`, which is one name above all. */
async function visitSecurely(host: string): Promise<string> {
  const port = aws.loopbackPort('web', 443)
  const ca = aws.certificates.authority
  const checkServerIdentity = () => undefined
  const asked = {
    host: '127.0.0.1',
    port,
    servername: host,
    headers: { host },
    agent: false,
    ca,
    checkServerIdentity,
  }
  const [response] = (await once(request(asked).end(), 'response')) as [IncomingMessage]
  return (await text(response)).trim()
}

/** Whoever believes the one before is told what to type; the one that has it renewed goes on. */
async function renewCertificate(): Promise<void> {
  const shown = (said: Said) => /([0-9A-F]{2}:){31}[0-9A-F]{2}/.exec(said.stderr)![0]
  const renew = ['update', '--renew-certificate']
  const nobody = await elsewhere(renew, 2)
  const before = shown(nobody)
  assert.match(nobody.stderr, /nobody is here to be asked/)
  const { stderr } = await elsewhere([...renew, '--yes'])
  const now = /^the API of far shows another certificate: (\S+)$/m.exec(stderr)?.[1]
  assert.notEqual(now, before)
  assert.equal((await statusElsewhere()).status, 'running')
  const refused = await run(['apps'])
  assert.match(refused.stderr, /^error: the certificate of aws:\/\/\S+ is not believed here/m)
  assert.match(refused.stderr, new RegExp(`its account tells the new one: rack login ${address}; `, 'm'))
  assert.equal(shown(await passes(['login', address])), now)
  await passes(['apps'])
}

/** Makes of its daemon what an earlier version would have left: the stack runs another image. */
async function makeEarlier(): Promise<void> {
  const { stacks, images } = world.clients
  const StackName = `rack-${name}`
  const signal = AbortSignal.timeout(60_000)
  const { TemplateBody = '' } = await stacks.getTemplate({ StackName })
  const template = JSON.parse(TemplateBody) as { Outputs: Record<string, { Value: string }> }
  const image = template.Outputs['DaemonImage']!.Value
  const { repository, reference } = placeOf(image)
  const registry = await createOwnImages(images).registry(signal)
  const from = { registry, repository, reference, platform }
  const file = { path: '/earlier', mode: 0o644, uid: 0, gid: 0, what: { content: Buffer.from('earlier') } }
  const { digest } = await deriveImage(
    from,
    { registry, repository },
    { files: [file], stopSignal: null },
    signal,
  )
  const { Stacks } = await stacks.describeStacks({ StackName })
  const given = Stacks![0]!.Parameters!.map(({ ParameterKey, ParameterValue }) => [
    ParameterKey,
    ParameterValue,
  ])
  const earlier = TemplateBody.replaceAll(image, image.replace(/sha256:\w+$/, digest))
  const wanted = {
    name: StackName,
    template: JSON.parse(earlier) as object,
    parameters: Object.fromEntries(given) as Record<string, string>,
  }
  await ensureStack({ stacks, intervalMs: 50 }, wanted, { signal })
}

async function updateFromEarlier(): Promise<void> {
  const none = await elsewhere(['update', '--plan'])
  const without = (stack: string) => `${stack}: no changes of its resources\n`
  assert.equal(none.stdout, without(`rack-${name}-base`) + without(`rack-${name}`))
  await makeEarlier()
  const plan = await elsewhere(['update', '--plan'])
  assert.match(plan.stdout, /^ {2}Replace +DaemonTask +AWS::ECS::TaskDefinition$/m)
  assert.match(plan.stdout, /^the image of the daemon: another one$/m)
  assert.match(plan.stdout, /^a snapshot of the store rack-\S+: taken before, minutes$/m)
  assert.deepEqual(await snapshots(), [])
  const done = await elsewhere(['update', '--yes'])
  assert.match(done.stderr, new RegExp(`^rack-${name}: DaemonTask UPDATE_COMPLETE$`, 'm'))
  assert.match(done.stderr, /^far is of version \S+$/m)
  assert.match((await elsewhere(['update', '--rack', 'far'])).stderr, /^far is of this version already$/m)
  const [snapshot] = await snapshots()
  assert.match(done.stderr, new RegExp(`^the store as it is now stays as the snapshot ${snapshot}$`, 'm'))
  assert.match(snapshot!, new RegExp(`^rack-${name}-before-`))
}

async function snapshots(): Promise<string[]> {
  const { DBSnapshots = [] } = await world.clients.databases.describeDBSnapshots({ SnapshotType: 'manual' })
  return DBSnapshots.map(({ DBSnapshotIdentifier = '' }) => DBSnapshotIdentifier)
}

/** Says in the base stack that the daemon stands on another image. */
async function standOn(image: string): Promise<void> {
  const { stacks } = world.clients
  const StackName = `rack-${name}-base`
  const { TemplateBody = '' } = await stacks.getTemplate({ StackName })
  const template = JSON.parse(TemplateBody) as { Metadata: { Rack: { chosen: { inside: object } } } }
  const { chosen } = template.Metadata.Rack
  chosen.inside = { ...chosen.inside, nodeImage: image }
  await ensureStack(
    { stacks, intervalMs: 50 },
    { name: StackName, template },
    { signal: AbortSignal.timeout(60_000) },
  )
}

/** A daemon that does not come up: its stack goes back by itself to the one before, which runs on what it has. */
async function updateThatFails(): Promise<void> {
  await standOn(await base.withoutProgram())
  const failed = await elsewhere(['update', '--yes'], 1)
  const [, snapshot = ''] = await snapshots()
  assert.match(failed.stderr, new RegExp(`^rack-${name}: rack-${name} UPDATE_ROLLBACK_COMPLETE$`, 'm'))
  assert.match(failed.stderr, new RegExp(`back, by the snapshot ${snapshot}: docs/aws\\.md, "Back to`))
  await untilRuns()
  assert.match((await elsewhere(['apps', '--json'])).stdout, /"shop"/)
  await standOn(base.image)
  assert.match((await elsewhere(['update', '--rack', 'far'])).stderr, /^far is of this version already$/m)
}

async function updateWithoutService(): Promise<void> {
  const daemon = { cluster: name, service: `rack-${name}-daemon` }
  await world.clients.ecs.deleteService({ ...daemon, force: true })
  const done = await elsewhere(['update', '--yes'])
  assert.match(done.stderr, /^the ECS service of its daemon is gone: it is made anew$/m)
  assert.match(done.stderr, /^far is of version \S+$/m)
  await untilRuns()
}

async function untilRuns(): Promise<void> {
  const runs = async () => (await statusElsewhere()).status === 'running'
  await until(runs, { what: 'the daemon to run', deadlineMs: 30_000 })
}
