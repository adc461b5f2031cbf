import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempDisposable } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { createClients, type AwsClients } from '../../src/aws/clients.ts'
import { until } from '../../src/lib/poll.ts'
import { AwsError } from '../fake-aws/fake-service.ts'
import { startAccountRack, type AccountRack } from '../support/account-rack.ts'
import { killProcess } from '../support/daemon-rack.ts'
import { startDockerRegistry, type DockerRegistry } from '../support/docker-registry.ts'
import { makeSource, type SourceDirectory } from '../support/source.ts'
import { visitLocally, type Visit } from '../support/visits.ts'

const docker = promisify(execFile)
const undo = new AsyncDisposableStack()
let rack: AccountRack
let clients: AwsClients
let source: SourceDirectory
let registry: DockerRegistry
let visit: Visit

/** Says a word of its environment by http. */
const dockerfile = `FROM busybox:1
RUN mkdir /www
COPY start /start
CMD ["sh", "/start"]
`
const start = `echo "$WORD" > /www/index.html
exec httpd -f -p 5000 -h /www
`
const composeOf = (image: string) => `services:
  web:
    build: .
    environment: { WORD: "\${WORD:-first}" }
    ports: ["80:5000"]
    labels: { rack.draining.timeout: 10, rack.deployment.watch: 0.3 }
    deploy: { resources: { limits: { cpus: "0.05", memory: 32M } } }
  worker:
    image: ${image}
    command: sh -c 'echo "at work in $$PLACE"; exec sleep 1000'
    environment: { PLACE: the account }
    stop_grace_period: 2s
    labels: { rack.deployment.watch: 0.3 }
    deploy: { resources: { limits: { cpus: "0.05", memory: 32M } } }
`

before(async () => {
  rack = undo.use(await startAccountRack())
  clients = undo.adopt(createClients(rack.account.access()), (all) => all.close())
  const directory = undo.use(await mkdtempDisposable(join(tmpdir(), 'rack-registry-')))
  registry = undo.use(await startDockerRegistry({ directory: directory.path, ready: 200 }))
  const image = `${registry.host}/busybox:1`
  await docker('docker', ['tag', 'busybox:1', image])
  undo.defer(async () => void (await docker('docker', ['rmi', image])))
  await docker('docker', ['push', image])
  source = undo.use(
    await makeSource({ 'docker-compose.yml': composeOf(image), Dockerfile: dockerfile, start }),
  )
  visit = visitLocally(rack.httpPort)
})
after(async () => await undo.disposeAsync())

interface Copy {
  id: string
  type: string
  status: string
}

test('an app of two types, one built and one pulled, comes from a directory into the account', async () => {
  await rack.run('deploy', '--app', 'shop', source.path)
  assert.deepEqual(await visit('shop.localhost'), { status: 200, text: 'first' })
  const copies = await rack.json<Copy[]>('ps', '--app', 'shop')
  assert.deepEqual(copies.map(({ type, status }) => `${type} ${status}`).toSorted(), [
    'web running',
    'worker running',
  ])
  const isRead = async () => /at work in the account/.test(await rack.run('logs', '--app', 'shop'))
  await until(isRead, { deadlineMs: 20_000, what: 'the line of the worker' })
})

const running = async () =>
  (await rack.json<Copy[]>('ps', '--app', 'shop'))
    .filter(({ status }) => status === 'running')
    .map(({ id }) => id)
    .toSorted()

test('a change whose daemon is killed is brought about by the next one, and apps are reached meanwhile', async () => {
  const { daemon } = await rack.json<{ daemon: { pid: number } }>('status')
  const { promise: begun, resolve } = Promise.withResolvers<void>()
  rack.account.calls.hooks = {
    afterCall: ({ service, action }) => {
      if (service === 'ecs' && action === 'CreateService') resolve()
    },
  }
  const { said } = rack.start(['env', 'set', '--app', 'shop', '--promote', 'WORD=third'])
  await begun
  rack.account.calls.hooks = {}
  await killProcess(daemon.pid)
  await said
  assert.equal((await rack.json<{ status: string }>('status')).status, 'stopped')
  assert.equal((await visit('shop.localhost'))?.text, 'first')
  await rack.run('start')
  const isThere = async () => (await visit('shop.localhost'))?.text === 'third'
  await until(isThere, { deadlineMs: 30_000, what: 'the change' })
  const isDone = async () => (await rack.json<{ status: string }>('status')).status === 'running'
  await until(isDone, { deadlineMs: 30_000, what: 'the rack to have taken up all' })
})

test('a rack that is stopped and started knows all, and says meanwhile what is wrong', async () => {
  const copies = await running()
  await rack.run('stop')
  rack.account.faults.set('sts:GetCallerIdentity', { error: new AwsError('ExpiredToken', 'expired', 403) })
  const found = await rack.attempt(['doctor'])
  rack.account.faults.clear()
  assert.equal(found.code, 1)
  assert.match(found.stdout, /BAD +daemon +it does not run\n +→ rack start/)
  assert.match(
    found.stdout,
    /BAD +credentials +the credentials of the account have expired\n +→ .*aws sso login/,
  )
  await rack.run('start')
  assert.deepEqual(await running(), copies)
  const said = await rack.json<{ status: string; apps: number; router: { pid: null } }>('status')
  assert.deepEqual([said.status, said.apps, said.router.pid], ['running', 1, null])
  assert.match(await rack.run('doctor'), /ok +cluster[^]*ok +balancer +the network load balancer/)
  await rack.account.balancers.deleteByHand(rack.account.places.networkBalancer!.arn)
  const lost = await rack.attempt(['doctor'])
  assert.match(lost.stdout, /BAD +balancer +somebody has deleted the network load balancer \S+\n +→ Deploy/)
})

test('an app is reached by a domain as soon as it has it, and no more when it is taken away', async () => {
  await rack.run('domains', 'add', 'shop.example.com', '--app', 'shop', '--process', 'web')
  // A balancer has several nodes, and a rule is at one after the other.
  const isReached = async () => (await visit('shop.example.com'))?.text === 'third'
  await until(isReached, { deadlineMs: 10_000, what: 'the domain to lead to the app' })
  await rack.run('domains', 'remove', 'shop.example.com', '--app', 'shop', '--yes')
  const isGone = async () => (await visit('shop.example.com'))?.status === 404
  await until(isGone, { deadlineMs: 10_000, what: 'the domain to lead nowhere' })
})

test('what a rack in an account has not is refused with its reason', async () => {
  const acme = await rack.attempt(['certs', 'acme', '--directory', 'letsencrypt'])
  assert.match(acme.stderr, /shows certificates of the account alone/)
  const policy = await rack.attempt(['policy', 'set', '--allow-bind', '/srv'])
  assert.match(policy.stderr, /no machine of the rack/)
  await source.write({ 'backup.pass': 'correct horse battery staple\n' })
  const passphrase = ['--passphrase-file', join(source.path, 'backup.pass')]
  const whole = await rack.attempt(['backup', ...passphrase, '--output', '-'])
  assert.match(whole.stderr, /has no backup as a whole[^]*rack volumes backup/)
  const listening = await rack.attempt(['start', '--https-port', '443'])
  assert.match(listening.stderr, /for a rack on one machine/)
})

test('an app that is deleted leaves nothing in the account', async () => {
  await rack.run('apps', 'delete', 'shop', '--volumes', '--yes')
  let left: unknown
  const isClear = async () => {
    left = await whatIsLeft()
    return JSON.stringify(left) === JSON.stringify(nothing)
  }
  await until(isClear, { deadlineMs: 30_000, what: () => `nothing to be left: ${JSON.stringify(left)}` })
  assert.deepEqual(await rack.json('apps'), [])
  assert.deepEqual(rack.account.calls.refused, [])
  assert.deepEqual(rack.account.troubles, [])
})

const nothing = {
  services: [],
  tasks: [],
  groups: [],
  secrets: [],
  names: [],
  stacks: [],
  points: [],
  objects: [],
}

/** Of the app, on the first page that has something. */
async function whatIsLeft(): Promise<typeof nothing | object> {
  const { cluster, fileSystem, bucket } = rack.account.places
  const [services, tasks, groups, secrets, names, stacks, points, objects] = await Promise.all([
    clients.ecs.listServices({ cluster }),
    clients.ecs.listTasks({ cluster }),
    clients.balancers.describeTargetGroups({}),
    clients.secrets.listSecrets({}),
    clients.discovery.listServices({}),
    clients.stacks.describeStacks({}),
    clients.files.describeAccessPoints({ FileSystemId: fileSystem }),
    clients.objects.listObjectsV2({ Bucket: bucket }),
  ])
  return {
    services: services.serviceArns ?? [],
    tasks: tasks.taskArns ?? [],
    groups: (groups.TargetGroups ?? []).map(({ TargetGroupName }) => TargetGroupName),
    secrets: (secrets.SecretList ?? []).map(({ Name }) => Name),
    names: (names.Services ?? []).map(({ Name }) => Name),
    stacks: (stacks.Stacks ?? []).map(({ StackName }) => StackName),
    points: (points.AccessPoints ?? []).map(({ RootDirectory }) => RootDirectory?.Path),
    objects: (objects.Contents ?? []).map(({ Key }) => Key),
  }
}
