import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { after, before, test } from 'node:test'
import { createClients } from '../../../src/aws/clients.ts'
import type { Control } from '../../../src/domain/control.ts'
import { makeId } from '../../../src/domain/id.ts'
import { connectDocker } from '../../../src/engines/docker/client.ts'
import { findImage } from '../../../src/engines/docker/images/images.ts'
import { until } from '../../../src/lib/poll.ts'
import { appOwner } from '../../../src/domain/owner.ts'
import { noReleaseCommands, type BuildRequest, type ImageRequest } from '../../../src/domain/engine.ts'
import { createParts } from '../../../src/engines/aws/create-parts.ts'
import { imagesOf, sweepImages } from '../../../src/engines/aws/images/sweep-images.ts'
import { fileMount, planOf, processPlan } from '../../support/plans.ts'
import { openAwsRack } from '../../support/aws-rack.ts'
import { buildSpec } from '../../support/build-spec.ts'
import { controlFor, dockerSocket } from '../../support/docker-rack.ts'
import { startPrivateRegistry, type PrivateRegistry } from '../../support/private-registry.ts'
import { packTar } from '../../support/tar.ts'

const docker = connectDocker({ socketPath: dockerSocket })
const stack = new AsyncDisposableStack()
let rack: Awaited<ReturnType<typeof openAwsRack>>
let foreign: PrivateRegistry

before(async () => {
  rack = await openAwsRack()
  stack.defer(async () => await rack.close())
  foreign = stack.use(await startPrivateRegistry())
  await foreign.push(docker, 'busybox:1', 'team/box:1')
})
after(async () => {
  assert.deepEqual(rack.account.troubles, [])
  assert.deepEqual(rack.account.calls.refused, [])
  await stack.disposeAsync()
})

function request(image: ImageRequest, dockerfile = '', more: Partial<BuildRequest> = {}): BuildRequest {
  return {
    app: 'shop',
    build: makeId('B', randomBytes),
    images: [image],
    source: () => packTar([{ name: 'Dockerfile', content: dockerfile }]),
    environment: {},
    noCache: false,
    deadlineMs: 60_000,
    ...more,
  }
}

const said = (control: Control, lines: string[]): Control => ({
  ...control,
  report: (progress) => void (progress.type === 'log' && lines.push(progress.text)),
})

test('what a type names is copied into the account by the login of its registry, and no build is started', async () => {
  const image = `${foreign.host}/team/box:1`
  const wanted = request({ processes: ['web'], build: null, image })
  const refused = await rack.engine.build(wanted, controlFor(30_000)).catch((error: unknown) => error)
  assert.match((refused as Error).message, /^web: the image .* cannot be had: .*authentication required/)
  assert.match((refused as { hint: string }).hint, /rack registries add 127\.0\.0\.1:\d+ --username NAME/)
  const lines: string[] = []
  const { username, password, host } = foreign
  const logins = [{ host, username, password }]
  const built = await rack.engine.build({ ...wanted, logins }, said(controlFor(30_000), lines))
  assert.equal(built.web!.digest, (await findImage(docker, 'busybox:1', controlFor(10_000)))!.Id)
  assert.match(built.web!.reference, /^127\.0\.0\.1:\d+\/rack\/t-[0-9a-f]+\/shop@sha256:/)
  assert.deepEqual(built.web!.command, ['sh'])
  assert.deepEqual([lines[0], lines.length], [`pulling ${image}`, 2])
  assert.equal(rack.account.calls.counts()['codebuild:StartBuild'] ?? 0, 0)
  const never = request({ processes: ['web'], build: null, image, pull: 'never' })
  await assert.rejects(rack.engine.build(never, controlFor(30_000)), { code: 'image-unavailable' })
  await rack.engine.tryLogin(logins[0]!, controlFor(30_000))
  await assert.rejects(rack.engine.tryLogin({ ...logins[0]!, password: 'wrong' }, controlFor(30_000)), {
    code: 'invalid',
    message: `${host} refuses the login of ${username}`,
  })
})

test('a build says what one machine says, and its orders are gone after it', async () => {
  const lines: string[] = []
  const image = { processes: ['web'], build: buildSpec(), image: null }
  const wanted = request(image, 'FROM busybox:1\nRUN echo made in the account > /made\nSTOPSIGNAL SIGQUIT\n')
  const built = await rack.engine.build(wanted, said(controlFor(60_000), lines))
  assert.equal(built.web!.stopSignal, 'SIGQUIT')
  assert.ok(lines.some((line) => line.includes('RUN echo made in the account')))
  assert.deepEqual(await leftOrders(), [])
  const failing = request({ ...image }, 'FROM busybox:1\n\nRUN exit 7\n')
  await assert.rejects(rack.engine.build(failing, controlFor(60_000)), (error: unknown) => {
    const { code, details } = error as { code: string; details: Record<string, unknown> }
    assert.deepEqual([code, details.line, details.exitCode], ['build-failed', 3, 7])
    return true
  })
})

test('a build stands on the image that another type names', async () => {
  const build = buildSpec({ contexts: [{ name: 'base', process: 'box' }] })
  const wanted = request({ processes: ['web'], build, image: null }, 'FROM base\nRUN echo on it > /on\n')
  const box = { processes: ['box'], build: null, image: 'busybox:1', pull: 'missing' as const }
  const built = await rack.engine.build({ ...wanted, images: [...wanted.images, box] }, controlFor(60_000))
  assert.deepEqual(Object.keys(built).toSorted(), ['box', 'web'])
  assert.notEqual(built.box!.digest, built.web!.digest)
})

test('a cancelled build is stopped in the account, and nothing of it goes on', async () => {
  const mark = `sleep 3${randomBytes(3).readUIntBE(0, 3)}`
  const ending = new AbortController()
  const lines: string[] = []
  const image = { processes: ['web'], build: buildSpec(), image: null }
  const control = said({ ...controlFor(60_000), signal: ending.signal }, lines)
  const building = rack.engine.build(request(image, `FROM busybox:1\nRUN ${mark}\n`), control)
  const outcome = building.catch((error: unknown) => error)
  const isRunning = () => lines.some((line) => line.includes(mark))
  await until(isRunning, { deadlineMs: 40_000, what: 'the step' })
  ending.abort()
  assert.ok((await outcome) instanceof Error)
  assert.equal(rack.account.calls.counts()['codebuild:StopBuild'], 1)
  assert.deepEqual(await leftOrders(), [])
  await until(async () => (await steps(mark)).length === 0, { deadlineMs: 20_000, what: 'the step to end' })
})

test('a sweep takes images that nothing names, and no copy is made from', async () => {
  const control = controlFor(60_000)
  const parts = createParts(rack.options, control.signal)
  const image = { processes: ['web'], build: null, image: `${foreign.host}/team/box:1` }
  const wanted = { ...request(image), logins: [foreign] }
  const [kept, other] = [await rack.engine.build(wanted, control), await rack.image('busybox:1')]
  const owner = appOwner('shop')
  const files = [fileMount('/etc/app.conf', 'x', { kind: 'config' })]
  const web = processPlan({ type: 'web', image: kept.web!.reference, command: ['sleep', '999'], files })
  const plan = planOf([web], { rack: rack.rack, owner })
  await rack.engine.deploy({ plan, live: null, leaving: [], releaseCommands: noReleaseCommands }, control)
  const here = async () => (await imagesOf(parts, `rack/${rack.rack}/shop`, control)).length
  const before = await here()
  const keep = { owners: [owner], images: [kept.web!.reference, other] }
  const nowMs = Date.now() + 10 * 365 * 86_400_000
  assert.equal((await sweepImages(parts, { keep, nowMs: 0 }, control)).images, 0)
  assert.equal((await sweepImages(parts, { keep, nowMs }, control)).images, before - 2)
  assert.equal((await sweepImages(parts, { keep: { ...keep, images: [] }, nowMs }, control)).images, 1)
  assert.equal(await here(), 1, 'what the copy is made from')
})

/** Processes of this machine that run the step of a build. */
async function steps(mark: string): Promise<string[]> {
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const texts = await Promise.all(
    ids.map(async (id) => await readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => '')),
  )
  return texts.filter((text) => text.replaceAll('\0', ' ').startsWith(mark))
}

async function leftOrders(): Promise<string[]> {
  const clients = createClients(rack.account.access())
  try {
    const { Contents = [] } = await clients.objects.listObjectsV2({
      Bucket: rack.account.places.bucket,
      Prefix: 'sources/',
    })
    return Contents.map(({ Key = '' }) => Key)
  } finally {
    clients.close()
  }
}
