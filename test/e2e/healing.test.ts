import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { connectDocker } from '../../src/engines/docker/client.ts'
import { codeOf } from '../../src/domain/error.ts'
import type { AppProcess } from '../../src/domain/process.ts'
import type { AppInfo, AppSummary } from '../../src/operations/operations.ts'
import { until } from '../../src/lib/poll.ts'
import { controlFor, dockerSocket } from '../support/docker-rack.ts'
import { installRack, type InstalledRack } from '../support/installed-rack.ts'
import { makeSource } from '../support/source.ts'
import { visitLocally } from '../support/visits.ts'

const docker = connectDocker({ socketPath: dockerSocket })
const patience = { deadlineMs: 30_000, intervalMs: 100 }
const files = {
  Dockerfile: 'FROM busybox:1\nRUN mkdir /www && echo hello > /www/index.html\n',
  'worker/Dockerfile': 'FROM busybox:1\nRUN mkdir /work\n',
  'docker-compose.yml': `services:
  web:
    build: .
    command: httpd -f -p 3000 -h /www
    ports: ["80:3000"]
    deploy: { replicas: 2 }
    stop_grace_period: 1s
  worker:
    build: worker
    command: sleep 3600
    stop_grace_period: 1s
`,
}

/** Each copy answers with a name of its own, and is healthy as long as nobody says otherwise. */
const ailing = `services:
  web:
    image: busybox:1
    command: sh -c 'mkdir /www; hostname > /www/index.html; touch /www/up; exec httpd -f -p 3000 -h /www'
    ports: ["80:3000"]
    deploy: { replicas: 2 }
    stop_grace_period: 1s
    healthcheck: { test: "test ! -e /tmp/sick", interval: 1s, retries: 2 }
    labels: { rack.health.path: /up, rack.health.interval: 0.5, rack.health.timeout: 0.5, rack.health.replace: 8 }
`

let rack: InstalledRack
before(async () => {
  rack = await installRack()
  await using source = await makeSource(files)
  await rack.run('deploy', '--app', 'shop', source.path)
})
after(async () => await rack[Symbol.asyncDispose]())

const processes = async (app: string, type = 'web') =>
  await rack.json<AppProcess[]>('ps', '--app', app, '--type', type)

const running = async (type: string) =>
  (await processes('shop', type)).filter(({ status }) => status === 'running').map(({ id }) => id)

async function containerOf(id: string): Promise<{ Id: string; Image: string }> {
  const query = { all: true, filters: { label: [`com.rack.process=${id}`] } }
  const found = { path: '/containers/json', query }
  return (await docker.json<{ Id: string; Image: string }[]>(found, controlFor(10_000)))[0]!
}

/** As `docker rm --force` and `docker stop` do. */
async function byHand(id: string, method: 'DELETE' | 'POST'): Promise<void> {
  const path = `/containers/${(await containerOf(id)).Id}`
  const call =
    method === 'DELETE' ? { path, query: { force: true } } : { path: `${path}/stop`, query: { t: 1 } }
  await docker.json({ method, ...call }, controlFor(20_000))
}

test('a copy that is removed, and one that is stopped by hand, are back within seconds, and that is told', async () => {
  const [lost, kept] = await running('web')
  await byHand(lost!, 'DELETE')
  const isBack = async () => {
    const now = await running('web')
    return now.length === 2 && !now.includes(lost!) && now.includes(kept!)
  }
  await until(isBack, { ...patience, what: 'two web processes' })
  const { receipt, intent } = (await rack.json<AppInfo>('apps', 'info', 'shop')).healed!
  assert.deepEqual([intent.lacks?.[0]?.missing, receipt?.failed], [1, 0])
  assert.match(await rack.run('apps', 'info', 'shop'), /^healed .*web: 1 of 2 missing: brought back$/m)

  const [worker] = await running('worker')
  await byHand(worker!, 'POST')
  const runsAgain = async () => (await running('worker'))[0] === worker
  await until(runsAgain, { ...patience, what: 'the worker to run again' })
})

/** Docker lets no image go that a container has: one may be brought back in between. */
async function loseWorker(): Promise<boolean> {
  const query = { all: true, filters: { label: [`com.rack.name=${rack.name}`, 'com.rack.type=worker'] } }
  const found = { path: '/containers/json', query }
  const [container] = await docker.json<{ Id: string; Image: string }[]>(found, controlFor(10_000))
  if (!container) return true
  const removal = { method: 'DELETE', query: { force: true } } as const
  await docker.json({ ...removal, path: `/containers/${container.Id}` }, controlFor(20_000))
  try {
    await docker.json({ ...removal, path: `/images/${container.Image}` }, controlFor(20_000))
    return true
  } catch (error) {
    if (codeOf(error) === 'conflict') return false
    throw error
  }
}

test('a copy whose image and source are lost is told, by list, processes, status and doctor; the others serve on', async () => {
  await rm(join(rack.directory, 'objects', 'blobs', 'kept', 'shop'), { recursive: true })
  await until(loseWorker, { ...patience, what: 'the image to be gone' })
  const isLost = /an image is lost, and the source of its build is not kept/
  const told = async () => {
    const [app] = await rack.json<AppSummary[]>('apps')
    // It may have been tried while the image was about to go.
    return app?.lacks.some(({ trouble }) => isLost.test(trouble?.message ?? '')) ? app : null
  }
  const app = await until(told, { ...patience, what: 'the loss to be told' })
  assert.equal(app.status, 'degraded')
  assert.match(app.lacks[0]!.trouble!.hint ?? '', /rack deploy --app shop/)
  assert.match(
    (await rack.attempt(['ps', '--app', 'shop'])).stderr,
    /shop is degraded: worker: 1 of 1 missing/,
  )
  assert.match(await rack.run('status'), /^degraded +shop/m)
  const doctor = await rack.attempt(['doctor'])
  assert.equal(doctor.code, 1)
  assert.match(doctor.stdout, /BAD +app shop +worker: 1 of 1 missing/)
  const page = await visitLocally(rack.httpPort)('shop.localhost')
  assert.deepEqual(page, { status: 200, text: 'hello' })
})

test('a copy whose check fails gets no request while another is there, says so, and is replaced', async () => {
  await using source = await makeSource({ 'docker-compose.yml': ailing })
  await rack.run('deploy', '--app', 'ailing', source.path)
  const visit = visitLocally(rack.httpPort)
  const [sick, well] = await processes('ailing')
  const answersOf = async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, async () => await visit('ailing.localhost')))
    return new Set(answers.map((answer) => `${answer?.status} ${answer?.text}`))
  }
  assert.equal((await answersOf()).size, 2)
  await rack.run('exec', '--app', 'ailing', sick!.id, 'touch', '/tmp/sick')
  const statusOf = async (id: string) => (await processes('ailing')).find((each) => each.id === id)?.status
  await until(async () => (await statusOf(sick!.id)) === 'unhealthy', { ...patience, what: 'it to be seen' })
  assert.match((await rack.attempt(['ps', '--app', 'ailing'])).stdout, /unhealthy \(its healthcheck fails\)/)
  await until(async () => (await answersOf()).size === 1, { ...patience, what: 'requests to go elsewhere' })
  const isReplaced = async () => {
    const now = await processes('ailing')
    const up = now.filter(({ status }) => status === 'running').map(({ id }) => id)
    return up.length === 2 && up.includes(well!.id) && !up.includes(sick!.id)
  }
  await until(isReplaced, { ...patience, what: 'it to be replaced' })
  const isCounted = async () => {
    const { healed } = await rack.json<AppInfo>('apps', 'info', 'ailing')
    return typeof healed?.receipt?.failed === 'number' ? healed : null
  }
  const healed = await until(isCounted, { ...patience, what: 'what was counted' })
  assert.deepEqual([healed.intent.leaving, healed.receipt?.failed], [[sick!.id], 0])

  await rack.run('exec', '--app', 'ailing', well!.id, 'rm', '/www/up')
  await until(async () => (await statusOf(well!.id)) === 'unhealthy', {
    ...patience,
    what: 'it to be seen too',
  })
  assert.match(
    (await rack.attempt(['ps', '--app', 'ailing'])).stdout,
    /unhealthy \(it does not answer the router\)/,
  )
})

test('a release that listens and exits a moment later is undone, and the old one never stopped serving', async () => {
  const serving = (command: string, watch: number) => ({
    'docker-compose.yml': `services:\n  web:\n    image: busybox:1\n    command: ${command}\n    ports: ["80:3000"]\n    stop_grace_period: 1s\n    labels: { rack.deployment.watch: ${watch} }\n`,
  })
  const httpd = 'mkdir -p /www; echo hello > /www/index.html; httpd -f -p 3000 -h /www'
  await using good = await makeSource(serving(`sh -c '${httpd}'`, 0.1))
  await using broken = await makeSource(serving(`sh -c '(${httpd}) & sleep 5; echo no database; exit 1'`, 20))
  await rack.run('deploy', '--app', 'late-exit', good.path)
  const before = (await processes('late-exit')).map(({ id }) => id)
  const { code, stderr } = await rack.attempt(['deploy', '--app', 'late-exit', broken.path])
  assert.equal(code, 1)
  assert.match(stderr, /was healthy, and exited with 1 while it was watched/)
  assert.match(stderr, /no database/)
  assert.match(stderr, /What ran before still runs/)
  assert.deepEqual(await visitLocally(rack.httpPort)('late-exit.localhost'), { status: 200, text: 'hello' })
  const isAlone = async () => (await processes('late-exit')).map(({ id }) => id).join() === before.join()
  await until(isAlone, { ...patience, what: 'the old process to be alone' })
})

test('a first release that wants more memory than it may have names the key of the file', async () => {
  const compose = `services:\n  web: { image: busybox:1, command: tail /dev/zero, mem_limit: 16m }\n`
  await using source = await makeSource({ 'docker-compose.yml': compose })
  const { code, stderr } = await rack.attempt(['deploy', '--app', 'hungry', source.path])
  assert.equal(code, 1)
  assert.match(stderr, /killed for want of memory[\s\S]*It may have 16 MiB.* mem_limit of web/)
  assert.doesNotMatch(stderr, /ran before/)
})

test('a process that crashes in the first minute is told by its release, and its last end by the list', async () => {
  const compose = `services:\n  job: { image: busybox:1, command: sh -c 'sleep 4; exit 3', labels: { rack.deployment.watch: 0.1 } }\n`
  await using source = await makeSource({ 'docker-compose.yml': compose })
  await rack.run('deploy', '--app', 'shaky', source.path)
  const isTold = async () => /job .*crashed \(3\)/.exec(await rack.run('releases', '--app', 'shaky'))
  await until(isTold, { ...patience, what: 'the crash to be told' })
  const runsAgain = async () => (await processes('shaky', 'job')).find(({ status }) => status === 'running')
  const again = await until(runsAgain, { ...patience, what: 'it to run again' })
  assert.equal(again.exitCode, 3)
  assert.match(again.detail ?? '', /^running, crashed \(3\) ×\d+$/)
})
