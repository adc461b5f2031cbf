import assert from 'node:assert/strict'
import { test } from 'node:test'
import { guestbook, guestbookPlan } from '../../test/support/guestbook.ts'
import { assertGolden } from '../../test/support/golden.ts'
import { fileMount } from '../../test/support/plans.ts'
import { plainContainer, type GpuRequest } from './container.ts'
import { changedTypes, copyIdentity } from './copy-identity.ts'
import { RackError } from './error.ts'
import type { Healthcheck } from './manifest.ts'
import { maskPlan } from './mask-plan.ts'
import { planRelease } from './plan.ts'
import { missingVariables, processEnvironment } from './process-environment.ts'

test('the same release gives the same bytes, for ever', () => {
  assertGolden('plan/guestbook.json', `${JSON.stringify(guestbookPlan(), null, 2)}\n`)
  assert.equal(JSON.stringify(guestbookPlan()), JSON.stringify(guestbookPlan()))
})

test('variables: image, compose, links, app, rack, lowest first', () => {
  const input = guestbook({
    environment: { SECRET: 's', GREETING: 'hi', REDIS_HOST: 'elsewhere', APP: 'forged' },
  })
  const web = input.manifest.processes[0]
  assert.ok(web)
  const byName = new Map(processEnvironment(input, web).map((variable) => [variable.name, variable]))
  assert.deepEqual(byName.get('GREETING'), {
    name: 'GREETING',
    value: 'hi',
    from: 'app',
    shadows: ['compose'],
  })
  assert.deepEqual(byName.get('REDIS_HOST')?.shadows, ['process link'])
  assert.equal(byName.get('REDIS_URL')?.value, 'redis://redis:6379')
  assert.deepEqual(byName.get('APP'), { name: 'APP', value: 'guestbook', from: 'rack', shadows: ['app'] })
  assert.equal(byName.get('PORT')?.value, '3000')
})

test('what the file leaves out of a check the image says, else Docker', () => {
  const input = guestbook()
  const [web] = input.manifest.processes
  assert.ok(web)
  const check = (own: Partial<Healthcheck> | null, image: Healthcheck | null) => {
    const nothing = { test: null, intervalMs: null, timeoutMs: null, retries: null, startPeriodMs: null }
    const manifest = {
      ...input.manifest,
      processes: [{ ...web, links: [], dependsOn: [], healthcheck: own && { ...nothing, ...own } }],
    }
    const images = { web: { ...input.images.web!, healthcheck: image } }
    return planRelease({ ...input, manifest, images }).processes[0]?.healthcheck
  }
  const times = { intervalMs: 1000, timeoutMs: 2000, retries: 7, startPeriodMs: 4000 }
  const image = { test: ['CMD', 'image'], ...times }
  const defaults = { intervalMs: 30_000, timeoutMs: 30_000, retries: 3, startPeriodMs: 0 }
  assert.deepEqual(check(null, image), image)
  assert.deepEqual(check({ intervalMs: 5 }, image), { ...image, intervalMs: 5 })
  assert.deepEqual(check({ test: ['CMD', 'own'] }, image), { ...times, test: ['CMD', 'own'] })
  assert.deepEqual(check({ test: ['CMD', 'own'] }, null), { ...defaults, test: ['CMD', 'own'] })
  assert.equal(check({ intervalMs: 5 }, null), null)
})

test('a required variable without a value is missing, by process', () => {
  assert.deepEqual(missingVariables(guestbook({ environment: {} })), { web: ['SECRET'] })
  assert.deepEqual(missingVariables(guestbook()), {})
})

test('a new release restarts only what differs; release and build ids do not count', () => {
  const live = guestbookPlan()
  assert.deepEqual(
    [...changedTypes(guestbookPlan({ release: 'RBBBBBBBBBB', build: 'BBBBBBBBBBB' }), live)],
    [],
  )
  const greeted = guestbookPlan({ environment: { SECRET: 'hunter2', GREETING: 'hi' } })
  assert.deepEqual([...changedTypes(greeted, live)], ['web', 'worker', 'redis'])
  const scaled = guestbookPlan({
    formation: { web: { count: 5, cpuUnits: 128, memoryBytes: 256 * 2 ** 20 } },
  })
  assert.deepEqual([...changedTypes(scaled, live)], [])
  const smaller = guestbookPlan({
    formation: { web: { count: 2, cpuUnits: 64, memoryBytes: 256 * 2 ** 20 } },
  })
  assert.deepEqual([...changedTypes(smaller, live)], ['web'])
  assert.equal(changedTypes(live, null).size, 3)
})

test('host names: the app for its only or web process, type and app for every http process', () => {
  const [web, worker] = guestbookPlan().processes
  assert.deepEqual(web?.hosts, ['guestbook.localhost', 'web.guestbook.localhost'])
  assert.deepEqual(worker?.hosts, [])
})

test('a port for udp is neither probed nor linked to', () => {
  const input = guestbook()
  const redis = input.manifest.processes.find(({ name }) => name === 'redis')
  assert.ok(redis)
  const port = { external: null, proxy: false as const, secure: false }
  redis.ports = [
    { ...port, container: 53, protocol: 'udp' },
    { ...port, container: 6380, protocol: 'tcp' },
  ]
  const plan = planRelease(input).processes.find(({ type }) => type === 'redis')
  assert.equal(plan?.health.port, 6380)
  const web = input.manifest.processes[0]!
  const url = processEnvironment(input, web).find(({ name }) => name === 'REDIS_URL')
  assert.match(url?.value ?? '', /:6380$/)
})

test('a linked service stands in for the process of its name', () => {
  const address = { scheme: 'redis', host: 'shared', port: 6379, path: '/0', username: '', password: 'p' }
  const plan = planRelease(guestbook({ services: [{ service: 'main-redis', alias: 'redis', address }] }))
  assert.deepEqual(
    plan.processes.map(({ type }) => type),
    ['web', 'worker'],
  )
  assert.equal(plan.processes[0]?.environment.REDIS_URL, 'redis://:p@shared:6379/0')
})

test('a service that runs here is reached by the names of its stand-in, and is a part of what a copy is', () => {
  const address = { scheme: 'redis', host: 'redis', port: 6379, path: '/0', username: 'u', password: 'p' }
  const link = { service: 'main', alias: 'redis', address, runsHere: true }
  const [web] = planRelease(guestbook({ services: [link] })).processes
  assert.ok(web)
  assert.deepEqual(web.services, [{ service: 'main', names: ['redis', 'queue'] }])
  const [hosted] = planRelease(guestbook({ services: [{ ...link, runsHere: false }] })).processes
  assert.equal(hosted?.services, undefined)
  assert.notEqual(copyIdentity(web), copyIdentity(hosted!))
})

test('a masked plan holds no value', () => {
  assert.ok(!JSON.stringify(maskPlan(guestbookPlan(), {})).includes('hunter2'))
})

test('a value that the compose file puts into a command or a check is masked there too', () => {
  const [web, ...others] = guestbookPlan().processes
  assert.ok(web?.healthcheck === null)
  const test = ['CMD', 'probe', '--key=opensesame']
  const healthcheck = { test, intervalMs: 1, timeoutMs: 1, retries: 1, startPeriodMs: 1 }
  const command = ['serve', '--token', 'opensesame', '--port', '3000']
  const processes = [{ ...web, command, healthcheck, releaseCommand: ['migrate', 'opensesame'] }, ...others]
  const masked = maskPlan({ ...guestbookPlan(), processes }, { TOKEN: 'opensesame', PORT_OF: '3000' })
  assert.ok(!JSON.stringify(masked).includes('opensesame'))
  assert.deepEqual(masked.processes[0]?.command, ['serve', '--token', '****', '--port', '3000'])
})

test('a masked plan has the files by name, and no value of the environment in labels and kernel parameters', () => {
  const [web, ...others] = guestbookPlan().processes
  assert.ok(web)
  const file = fileMount('/run/secrets/key', 'opensesame')
  const changed = {
    ...web,
    labels: { 'traefik.auth': 'me:opensesame' },
    files: [file],
    container: { ...web.container, sysctls: { 'kernel.domainname': 'opensesame.example' } },
  }
  const plan = { ...guestbookPlan(), processes: [changed, ...others] }
  const [masked] = maskPlan(plan, { TOKEN: 'opensesame' }).processes
  const text = JSON.stringify(masked)
  assert.ok(!text.includes('opensesame') && !text.includes(file.content))
  assert.deepEqual(masked?.labels, { 'traefik.auth': 'me:****' })
  assert.deepEqual(masked?.files, [{ ...file, content: '****' }])
  assert.deepEqual(masked?.container.sysctls, { 'kernel.domainname': '****.example' })
})

test('an engine runs the reference; the digest says whether it is the same image', () => {
  const input = guestbook()
  const web = { ...input.images.web!, reference: 'registry.example/shop@1' }
  const [planned] = planRelease({ ...input, images: { ...input.images, web } }).processes
  assert.deepEqual([planned?.image, planned?.imageDigest], ['registry.example/shop@1', web.digest])
})

test('GPUs are counted; all of them are those that the rack has, and one where it has none', () => {
  const input = guestbook()
  const counted = (gpus: Partial<GpuRequest>, has: number) => {
    const request: GpuRequest = { driver: null, count: null, ids: [], capabilities: ['gpu'], ...gpus }
    const [web, ...others] = input.manifest.processes
    const asking = { ...web!, container: { ...plainContainer, gpus: request } }
    const manifest = { ...input.manifest, processes: [asking, ...others] }
    return planRelease({ ...input, manifest, gpus: has }).processes.map(({ extras }) => extras)
  }
  const none = input.manifest.processes.slice(1).map(() => undefined)
  assert.deepEqual(counted({ count: 2 }, 4), [{ gpu: 2 }, ...none])
  assert.deepEqual(counted({ ids: ['0', '1', '3'] }, 4), [{ gpu: 3 }, ...none])
  assert.deepEqual(counted({ count: 'all' }, 4), [{ gpu: 4 }, ...none])
  assert.deepEqual(counted({ count: 'all' }, 0), [{ gpu: 1 }, ...none])
})

test('types that the build made no image of are named, with what to do', () => {
  const input = guestbook()
  const { web } = input.images
  assert.ok(web)
  assert.throws(
    () => planRelease({ ...input, images: { web } }),
    (error) => {
      assert.ok(error instanceof RackError)
      assert.equal(error.code, 'conflict')
      assert.match(error.message, /runs worker, redis, of which its build \w+ made no image/)
      assert.match(error.hint ?? '', /rack deploy --app guestbook/)
      return true
    },
  )
})

test('a password of the router is masked, and no reason to replace a copy', () => {
  const plan = guestbookPlan()
  const [web, ...others] = plan.processes
  assert.ok(web)
  const routing = {
    sticky: { by: 'source' as const },
    idleTimeoutMs: 1000,
    allow: ['::1'],
    auth: [{ user: 'admin', password: 'sesame' }],
  }
  const ports = web.ports.map((port) => ({ ...port, proxy: 'v1' as const }))
  const strict = { ...plan, processes: [{ ...web, routing, ports }, ...others] }
  assert.deepEqual(changedTypes(strict, plan), new Set())
  const masked = maskPlan(strict, {}).processes[0]?.routing
  assert.deepEqual(masked, { ...routing, auth: [{ user: 'admin', password: '****' }] })
})

test('a type may have a name that every object has', () => {
  const input = guestbook()
  const [web] = input.manifest.processes
  assert.ok(web)
  const manifest = {
    ...input.manifest,
    processes: [{ ...web, name: 'constructor', links: [], dependsOn: [] }],
  }
  const images = { constructor: input.images.web } as unknown as typeof input.images
  const [planned] = planRelease({ ...input, manifest, images, formation: {} }).processes
  assert.deepEqual([planned?.type, planned?.count], ['constructor', web.formation.count])
})
