import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RackError, type ErrorCode } from '../../src/domain/error.ts'
import type { Admission } from '../../src/domain/admission.ts'
import { whenBegun, whenCopied } from '../support/begun.ts'
import { until } from '../../src/lib/poll.ts'
import { startMemoryRack, tester } from '../support/memory-rack.ts'
import { upload } from '../support/upload.ts'

const shop = (web = '{ image: shop, ports: ["80:3000"] }', more = '') => `services:\n  web: ${web}\n${more}`
const fails = (code: ErrorCode) => (error: unknown) => error instanceof RackError && error.code === code

test('a build makes one release; promoting it makes it live, and only then', async () => {
  await using rack = await startMemoryRack()
  const { operations, control } = rack
  await operations.createApp('shop')
  const release = await rack.build('shop', shop())
  assert.equal((await operations.getApp('shop', control)).release, null)
  assert.deepEqual(
    (await operations.listReleases('shop', 10)).map(({ id, live }) => [id, live]),
    [[release, false]],
  )
  const promoted = await operations.promoteRelease('shop', release, { releaseCommand: true }, control)
  const app = await operations.getApp('shop', control)
  assert.deepEqual([app.release, app.status, app.operation], [release, 'running', null])
  assert.deepEqual(promoted.endpoints[0], { process: 'web', url: 'http://shop.localhost:8080' })
  assert.deepEqual(app.formation.web, { count: 1, cpuUnits: 128, memoryBytes: 256 * 2 ** 20 })
})

test('a build that fails leaves its log and no release', async () => {
  await using rack = await startMemoryRack()
  const { operations, control } = rack
  await operations.createApp('shop')
  const compose = shop('{ build: . }')
  await assert.rejects(
    rack.build('shop', compose, { Dockerfile: 'FROM scratch\nRUN fail 3\n' }),
    fails('build-failed'),
  )
  assert.deepEqual(await operations.listReleases('shop', 10), [])
  const [build] = await operations.listBuilds('shop', 10)
  assert.equal(build?.status, 'failed')
  const log = await Array.fromAsync(operations.buildLog('shop', build.id, { follow: true }, control))
  assert.ok(
    log.some((line) => line.type === 'log' && line.text.includes('fail')),
    JSON.stringify(log),
  )
})

test('all problems of a compose file are told at once, and the upload is not needed further', async () => {
  await using rack = await startMemoryRack()
  await rack.operations.createApp('shop')
  const compose = 'services:\n  web:\n    imagee: x\n    ports: ["99999:1"]\n    links: [nothing]\n'
  await assert.rejects(rack.build('shop', compose), (error: RackError) => {
    assert.equal(error.code, 'manifest-invalid')
    assert.ok((error.details as unknown[]).length >= 3, error.message)
    return true
  })
  const [build] = await rack.operations.listBuilds('shop', 1)
  assert.ok(build)
  const log = await Array.fromAsync(
    rack.operations.buildLog('shop', build.id, { follow: false }, rack.control),
  )
  const lines = log.flatMap((line) => (line.type === 'log' ? [line.text.replace(/^\S+ error: /, '')] : []))
  assert.match(lines[0] ?? '', /^the compose file has 4 problems$/)
  assert.equal(lines.filter((line) => line.includes('imagee')).length, 1, lines.join('\n'))
  assert.ok(lines.every((line) => !line.includes('\n')))
})

test('a required variable refuses the promote, then a change of the environment makes it possible', async () => {
  await using rack = await startMemoryRack()
  const { operations, control } = rack
  await operations.createApp('shop')
  const release = await rack.build('shop', shop('{ image: shop, environment: [KEY] }'))
  await assert.rejects(
    operations.promoteRelease('shop', release, { releaseCommand: true }, control),
    (error: RackError) => {
      assert.deepEqual(error.details, { web: ['KEY'] })
      return error.code === 'environment-missing'
    },
  )
  assert.equal((await operations.getApp('shop', control)).operation, null)
  const changed = await operations.changeEnvironment('shop', { set: { KEY: 'v' }, unset: [], replace: false })
  assert.equal(changed.description, 'env add:KEY')
  await operations.promoteRelease('shop', changed.id, { releaseCommand: true }, control)
  assert.equal((await operations.getApp('shop', control)).release, changed.id)
})

test('a link to a process without a port fails the build; a port of its image is enough', async () => {
  await using rack = await startMemoryRack()
  await rack.operations.createApp('shop')
  const compose = (db: string) => `services:\n  web: { image: shop, links: [db] }\n  db: ${db}\n`
  await assert.rejects(rack.build('shop', compose('{ image: shop }')), (error: RackError) => {
    assert.match(error.message, /there is none: web → db$/)
    return error.code === 'manifest-invalid' && error.hint?.includes('`expose:`') === true
  })
  const inline = '{ build: { context: ., dockerfile_inline: "FROM x\\nEXPOSE 6379" } }'
  await rack.build('shop', compose(inline))
  await rack.build('shop', compose('{ image: shop, environment: [LINK_PORT=1] }'))
})

test('a promote that fails leaves the old release live and says why', async () => {
  await using rack = await startMemoryRack()
  const { operations, control } = rack
  await operations.createApp('shop')
  const good = await rack.deploy('shop', shop())
  const before = await operations.listProcesses('shop', {}, control)
  const bad = await rack.build('shop', shop('{ image: shop, command: exit 3 }'))
  await assert.rejects(
    operations.promoteRelease('shop', bad, { releaseCommand: true }, control),
    fails('deploy-failed'),
  )
  const app = await operations.getApp('shop', control)
  assert.deepEqual([app.release, app.status, app.operation], [good, 'running', null])
  assert.deepEqual(
    (await operations.listProcesses('shop', {}, control)).map(({ id }) => id),
    before.map(({ id }) => id),
  )
})

test('a scale that does not fit is refused with the arithmetic and touches nothing', async () => {
  await using rack = await startMemoryRack()
  const { operations, control } = rack
  await operations.createApp('shop')
  await rack.deploy('shop', shop())
  await assert.rejects(
    operations.scaleProcesses('shop', { web: { count: 500 } }, control),
    (error: RackError) => {
      const { fits, needs, short } = error.details as Admission
      assert.deepEqual(
        [error.code, fits, needs.cpuUnits, short.cpuUnits > 0],
        ['capacity', false, 499 * 128, true],
      )
      return true
    },
  )
  assert.equal((await operations.getFormation('shop')).web?.count, 1)
  await operations.scaleProcesses('shop', { web: { count: 5 } }, control)
  assert.equal((await operations.listProcesses('shop', { type: 'web' }, control)).length, 5)
  assert.equal((await operations.planScale('shop', { web: { count: 6 } }, control)).admission.fits, true)
})

test('a formation that cannot be is refused; a type that is not there is named', async () => {
  await using rack = await startMemoryRack()
  const { operations, control } = rack
  await operations.createApp('shop')
  await rack.deploy('shop', shop())
  for (const change of [{ count: -1 }, { count: 1.5 }, { memoryBytes: 1024 }, { cpuUnits: 0 }]) {
    await assert.rejects(operations.scaleProcesses('shop', { web: change }, control), fails('invalid'))
  }
  await assert.rejects(operations.scaleProcesses('shop', { wob: { count: 1 } }, control), fails('not-found'))
})

test('of two promotes at once one is refused with who, what and since when', async () => {
  await using rack = await startMemoryRack()
  const { operations, control } = rack
  await operations.createApp('shop')
  await rack.deploy('shop', shop())
  const slow = await rack.build('shop', shop('{ image: shop, ports: ["80:3000"], command: pause 300 serve }'))
  const as = (name: string) => rack.room.operations.as({ ...tester, name })
  const first = as('alice').promoteRelease('shop', slow, { releaseCommand: true }, control)
  await whenBegun(rack.store, 'promote')
  await assert.rejects(
    as('bob').promoteRelease('shop', slow, { releaseCommand: true }, control),
    (error: RackError) => {
      const { actor, kind, started } = error.details as { actor: string; kind: string; started: string }
      assert.deepEqual([error.code, actor, kind, started.length > 0], ['busy', 'alice', 'promote', true])
      return true
    },
  )
  await first
})

test('cancel undoes a promote that waits for a copy', async () => {
  await using rack = await startMemoryRack()
  const { operations, control } = rack
  await operations.createApp('shop')
  const good = await rack.deploy('shop', shop())
  const stuck = await rack.build(
    'shop',
    shop('{ image: shop, ports: ["80:3000"], command: pause 20000 serve }'),
  )
  const promote = assert.rejects(
    operations.promoteRelease('shop', stuck, { releaseCommand: true }, control),
    fails('cancelled'),
  )
  await whenCopied(rack, stuck)
  const cancelled = await operations.cancelApp('shop', control)
  await promote
  assert.equal(cancelled.status, 'cancelled')
  assert.equal((await operations.getApp('shop', control)).release, good)
  await assert.rejects(operations.cancelApp('shop', control), fails('conflict'))
})

test('rollback copies build and environment of what ran before into a new release', async () => {
  await using rack = await startMemoryRack()
  const { operations, control } = rack
  await operations.createApp('shop')
  await rack.deploy('shop', shop())
  const { id } = await operations.changeEnvironment('shop', {
    set: { GREETING: 'hi' },
    unset: [],
    replace: false,
  })
  await operations.promoteRelease('shop', id, { releaseCommand: true }, control)
  const back = await operations.rollbackRelease('shop', null, { releaseCommand: true }, control)
  assert.deepEqual(await operations.getEnvironment('shop', back.release), {})
  assert.equal((await operations.getApp('shop', control)).release, back.release)
})

test('the compose file reads the environment of its release: no build for a changed ${VAR}', async () => {
  await using rack = await startMemoryRack()
  const { operations, control, engine } = rack
  await operations.createApp('shop')
  await rack.deploy('shop', shop('{ image: shop, environment: { COLOUR: "${COLOUR:-blue}" } }'))
  assert.equal(engine.livePlan('shop')?.processes[0]?.environment.COLOUR, 'blue')
  const { id } = await operations.changeEnvironment('shop', {
    set: { COLOUR: 'red' },
    unset: [],
    replace: false,
  })
  await operations.promoteRelease('shop', id, { releaseCommand: true }, control)
  assert.equal(engine.livePlan('shop')?.processes[0]?.environment.COLOUR, 'red')
})

test('restart replaces the copies of the live release', async () => {
  await using rack = await startMemoryRack()
  const { operations, control } = rack
  await operations.createApp('shop')
  const release = await rack.deploy('shop', shop())
  const before = new Set((await operations.listProcesses('shop', {}, control)).map(({ id }) => id))
  await operations.restartApp('shop', 'web', control)
  const after = (await operations.listProcesses('shop', {}, control)).map(({ id }) => id)
  assert.ok(after.every((id) => !before.has(id)))
  assert.equal((await operations.getApp('shop', control)).release, release)
})

test('an agent runs once on every instance: another count is refused with what to type', async () => {
  await using rack = await startMemoryRack()
  const { operations, control } = rack
  await operations.createApp('shop')
  await rack.deploy('shop', shop('{ image: shop, scale: 3 }'))
  const refused = (error: RackError) => {
    assert.match(error.message, /web is an agent.*its count cannot be 3/)
    assert.equal(error.hint, 'rack scale web=1 --app shop, or web=0 to stop it')
    return error.code === 'invalid'
  }
  const agent = await rack.build('shop', shop('{ image: shop, labels: { rack.agent: "true" } }'))
  await assert.rejects(operations.promoteRelease('shop', agent, { releaseCommand: true }, control), refused)
  await operations.scaleProcesses('shop', { web: { count: 1 } }, control)
  await operations.promoteRelease('shop', agent, { releaseCommand: true }, control)
  await assert.rejects(operations.planScale('shop', { web: { count: 3 } }, control), refused)
  await assert.rejects(operations.scaleProcesses('shop', { web: { count: 3 } }, control), refused)
  assert.equal((await operations.listProcesses('shop', {}, control)).length, 1)
  await operations.scaleProcesses('shop', { web: { count: 0 } }, control)
  assert.deepEqual(await operations.listProcesses('shop', {}, control), [])
})

test('diff shows labels of the router, and no password', async () => {
  await using rack = await startMemoryRack()
  const { operations } = rack
  await operations.createApp('shop')
  await rack.deploy('shop', shop())
  const labels = '{ rack.auth: "admin:s3cret", rack.sticky: source, rack.port.80.proxy: "true" }'
  await rack.build('shop', shop(`{ image: shop, ports: ["80:3000"], labels: ${labels} }`))
  const diff = await operations.diffReleases('shop', {})
  assert.deepEqual(diff.restarts, [])
  const fields = diff.processes[0]?.fields.map(({ name }) => name)
  assert.deepEqual(fields, ['ports', 'router'])
  assert.ok(!JSON.stringify(diff).includes('s3cret'))
})

test('a profile that the environment turns on after the build is a conflict, until it is built', async () => {
  await using rack = await startMemoryRack()
  const { operations, control } = rack
  await operations.createApp('shop')
  const compose = shop(undefined, '  till: { image: till, profiles: [till] }\n')
  await rack.deploy('shop', compose)
  const set = { COMPOSE_PROFILES: 'till' }
  const { id } = await operations.changeEnvironment('shop', { set, unset: [], replace: false })
  await assert.rejects(
    operations.promoteRelease('shop', id, { releaseCommand: true }, control),
    (error: RackError) => {
      assert.match(error.message, /runs till, of which its build B[A-Z]+ made no image/)
      assert.match(error.hint ?? '', /rack deploy --app shop/)
      return error.code === 'conflict'
    },
  )
  await rack.deploy('shop', compose)
  const types = (await operations.listProcesses('shop', {}, control)).map(({ type }) => type)
  assert.deepEqual(types.toSorted(), ['till', 'web'])
})

test('diff tells names, never values, and what would restart', async () => {
  await using rack = await startMemoryRack()
  const { operations, control } = rack
  await operations.createApp('shop')
  await rack.deploy('shop', shop())
  await operations.changeEnvironment('shop', { set: { TOKEN: 's3cret' }, unset: [], replace: false })
  const diff = await operations.diffReleases('shop', {})
  assert.deepEqual([diff.environment.added, diff.restarts], [['TOKEN'], ['web']])
  assert.ok(!JSON.stringify(diff).includes('s3cret'))
  await operations.promoteRelease('shop', diff.to, { releaseCommand: true }, control)
  const after = await operations.diffReleases('shop', {})
  assert.deepEqual([after.from, after.to], [diff.from, diff.to])
  const preview = await operations.planPromotion('shop', diff.to, control)
  assert.ok(!JSON.stringify(preview).includes('s3cret'))
})

test('delete is refused while locked, then leaves nothing', async () => {
  await using rack = await startMemoryRack()
  const { operations, control } = rack
  await operations.createApp('shop')
  await rack.deploy('shop', shop())
  await operations.setLocked('shop', true)
  await assert.rejects(operations.deleteApp('shop', { volumes: true }, control), fails('locked'))
  await operations.setLocked('shop', false)
  await operations.deleteApp('shop', { volumes: true }, control)
  assert.deepEqual(await operations.listApps(), [])
  await assert.rejects(operations.getApp('shop', control), fails('not-found'))
})

test('builds of one app, however many and endless, hold the room and the turn of one', async () => {
  await using rack = await startMemoryRack()
  const { operations, control, progress } = rack
  await operations.createApp('greedy')
  const endless = () => rack.build('greedy', shop('{ build: . }'), { Dockerfile: 'FROM x\nRUN sleep 600\n' })
  const greedy = Array.from({ length: 4 }, () => assert.rejects(endless(), fails('cancelled')))
  const waiting = () =>
    progress.filter((said) => said.type === 'log' && said.text === 'waiting for another build of greedy')
      .length
  await until(() => waiting() === 3, { deadlineMs: 20_000, what: 'three builds to wait' })
  const { holders } = await operations.getCapacity(control)
  const [one] = holders
  assert.deepEqual([holders.length, one?.kind, one?.app, one?.count], [1, 'build', 'greedy', 1])
  await operations.createApp('shop')
  await rack.build('shop', shop('{ build: . }'), { Dockerfile: 'FROM x\n' })
  for (const { id } of await operations.listBuilds('greedy', 10))
    await operations.cancelBuild('greedy', id, control)
  await Promise.all(greedy)
  assert.deepEqual((await operations.getCapacity(control)).holders, [])
})

test('an upload that is too large, or no upload at all, fails its build with the reason', async () => {
  await using rack = await startMemoryRack()
  const { operations, control } = rack
  await operations.createApp('shop')
  const send = (content: AsyncIterable<Uint8Array>) =>
    operations.buildApp('shop', { content, description: null, noCache: false }, control)
  await assert.rejects(send(upload(shop(), { big: 'x'.repeat(2 * 2 ** 20) })), fails('too-large'))
  const nothing = async function* () {
    yield Buffer.from('not a tar at all, but long enough to look at'.repeat(40))
  }
  await assert.rejects(send(nothing()), fails('invalid'))
  assert.deepEqual(
    (await operations.listBuilds('shop', 10)).map(({ status }) => status),
    ['failed', 'failed'],
  )
})

test('a daemon that died in a promote: the next one finishes it', async () => {
  await using rack = await startMemoryRack()
  const { operations, control } = rack
  await operations.createApp('shop')
  await rack.deploy('shop', shop())
  const next = await rack.build('shop', shop('{ image: shop, ports: ["80:3000"], command: pause 200 serve }'))
  const promote = operations
    .promoteRelease('shop', next, { releaseCommand: true }, control)
    .catch(() => undefined)
  await whenCopied(rack, next)
  await rack.room.interrupt()
  await promote
  const second = await rack.restart()
  await second.recover(control)
  const app = await second.operations.as(tester).getApp('shop', control)
  assert.deepEqual([app.release, app.status, app.operation], [next, 'running', null])
})

test('a daemon that died in a promote that cannot succeed: the next one undoes it', async () => {
  await using rack = await startMemoryRack()
  const { operations, control } = rack
  await operations.createApp('shop')
  const good = await rack.deploy('shop', shop())
  const bad = await rack.build('shop', shop('{ image: shop, ports: ["80:3000"], command: pause 200 exit 1 }'))
  const promote = operations
    .promoteRelease('shop', bad, { releaseCommand: true }, control)
    .catch(() => undefined)
  await whenCopied(rack, bad)
  await rack.room.interrupt()
  await promote
  const second = await rack.restart()
  await second.recover(control)
  const app = await second.operations.as(tester).getApp('shop', control)
  assert.deepEqual([app.release, app.status, app.operation], [good, 'running', null])
})

test('prune keeps the newest releases, the live one and nothing else', async () => {
  await using rack = await startMemoryRack()
  const { operations, control } = rack
  await operations.createApp('shop')
  for (const text of ['one', 'two', 'three', 'four', 'five']) {
    await rack.deploy('shop', shop('{ build: . }'), { Dockerfile: `FROM scratch\n# ${text}\n` })
  }
  assert.equal((await operations.prune({ buildCache: false, volumes: false }, control)).images, 2)
})

test('a secret in a command stays out of the plan and the diff', async () => {
  await using rack = await startMemoryRack()
  const { operations, control } = rack
  await operations.createApp('shop')
  await rack.deploy('shop', shop('{ image: shop, command: "serve ${TOKEN:-none}" }'))
  const change = { set: { TOKEN: 'opensesame' }, unset: [], replace: false }
  const { id } = await operations.changeEnvironment('shop', change)
  const diff = await operations.diffReleases('shop', {})
  const command = diff.processes[0]?.fields.find(({ name }) => name === 'command')
  assert.deepEqual([command?.from, command?.to], ['serve none', 'serve ****'])
  assert.ok(!JSON.stringify(await operations.planPromotion('shop', id, control)).includes('opensesame'))
})

test('a prune never takes the images of a build that is about to be a release', async () => {
  await using rack = await startMemoryRack()
  const { operations, control, engine } = rack
  await operations.createApp('shop')
  const build = engine.build.bind(engine)
  let pruned: unknown = null
  engine.build = async (request, given) => {
    const images = await build(request, given)
    pruned = await operations
      .prune({ buildCache: false, volumes: false }, control)
      .catch((error: unknown) => error)
    return images
  }
  const release = await rack.build('shop', shop())
  assert.ok(fails('busy')(pruned), String(pruned))
  engine.build = build
  const sweep = engine.sweep.bind(engine)
  const order: string[] = []
  engine.sweep = async (keep, given) => {
    const built = rack.build('shop', shop()).then(() => order.push('built'))
    const swept = await sweep(keep, given)
    order.push('swept')
    building.push(built)
    return swept
  }
  const building: Promise<unknown>[] = []
  assert.equal((await operations.prune({ buildCache: false, volumes: false }, control)).images, 0)
  await Promise.all(building)
  assert.deepEqual(order, ['swept', 'built'])
  await operations.promoteRelease('shop', release, { releaseCommand: true }, control)
})

test('a build makes its app when it is asked to, once', async () => {
  await using rack = await startMemoryRack()
  const { operations, control, progress } = rack
  const build = (app: string, create: boolean) =>
    operations.buildApp(app, { content: upload(shop()), description: null, noCache: false, create }, control)
  await assert.rejects(build('shop', false), fails('not-found'))
  await assert.rejects(build('Shop!', true), fails('invalid'))
  await Promise.all([build('shop', true), build('shop', true)])
  await build('shop', true)
  assert.deepEqual(
    (await operations.listApps()).map(({ name, status }) => [name, status]),
    [['shop', 'running']],
  )
  const said = progress.filter((line) => line.type === 'log' && line.text.includes('is new'))
  assert.equal(said.length, 1)
})

test('a rack says from its start on which apps have not come back', async () => {
  await using rack = await startMemoryRack()
  await rack.operations.createApp('shop')
  await rack.deploy('shop', shop())
  await rack.operations.createApp('empty')
  const again = await rack.restart()
  const operations = again.operations.as(tester)
  const { status, comingBack } = await operations.getRack(rack.control)
  assert.deepEqual([status, comingBack], ['converging', ['shop']])
  assert.equal(await again.recover(rack.control), true)
  const after = await operations.getRack(rack.control)
  assert.deepEqual([after.status, after.comingBack], ['running', []])
})
