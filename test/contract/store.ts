import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { chmod, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { after, before, describe, test } from 'node:test'
import type { BuildContent } from '../../src/domain/build.ts'
import type { Receipt } from '../../src/domain/deployment.ts'
import type { Environment } from '../../src/domain/environment.ts'
import { RackError, type ErrorCode } from '../../src/domain/error.ts'
import { idPattern } from '../../src/domain/id.ts'
import type { OperationKind } from '../../src/domain/operation.ts'
import { releaseOfBuild, releaseOfEnvironment, type ReleaseDraft } from '../../src/domain/release.ts'
import type { Store } from '../../src/domain/store.ts'
import { openStore, type StoreOptions } from '../../src/store/open-store.ts'

/** A kind of database, running. */
export interface StoreHarness extends AsyncDisposable {
  createDatabase(): Promise<TestDatabase>
}

/** A database of one test's own, empty until a store is opened on it. */
export interface TestDatabase extends AsyncDisposable {
  options: Pick<StoreOptions, 'directory' | 'url' | 'keyFile'>
  /** Changes rows behind the store's back. */
  execute(text: string): Promise<void>
  /** All that rests in the database, as bytes that a thief would see. */
  dump(): Promise<string>
}

/** States what every store does for those above the contract. */
export function storeContract(name: string, start: () => Promise<StoreHarness>): void {
  describe(`store contract: ${name}`, { concurrency: 2 }, () => {
    let harness: StoreHarness
    before(async () => {
      harness = await start()
    })
    after(async () => await harness[Symbol.asyncDispose]())
    const scenario: Scenario = (title, run) =>
      test(title, { timeout: 60_000 }, async () => {
        await using database = await harness.createDatabase()
        await using stores = new AsyncDisposableStack()
        const open = async (options: Partial<StoreOptions> = {}) => {
          const store = await openStore({ rack: 'home', ...database.options, ...options })
          stores.defer(async () => store.close())
          return store
        }
        await run({ database, open, store: await open() })
      })
    appScenarios(scenario)
    buildScenarios(scenario)
    releaseScenarios(scenario)
    operationScenarios(scenario)
    concurrencyScenarios(scenario)
    addressScenarios(scenario)
    settingScenarios(scenario)
    secretScenarios(scenario)
    keyScenarios(scenario)
  })
}

interface World {
  store: Store
  database: TestDatabase
  /** Another store on the same database; all are closed at the end. */
  open: (options?: Partial<StoreOptions>) => Promise<Store>
}

type Scenario = (title: string, run: (world: World) => Promise<void>) => unknown

const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

const content: BuildContent = {
  source: {
    files: [
      { path: 'docker-compose.yml', text: 'services:\n  web:\n    environment: [KEY=compose-secret-4711]\n' },
    ],
    dotenv: 'PASSWORD=dotenv-secret-4711\n',
    contents: {},
    texts: { 'web.env': 'TOKEN=envfile-secret-4711' },
  },
  images: {
    web: {
      digest: `sha256:${'a'.repeat(64)}`,
      exposed: ['5000/tcp'],
      link: { LINK_PASSWORD: 'link-secret-4711' },
      user: null,
      healthcheck: null,
      volumes: [],
    },
  },
}

const receipt: Receipt = {
  requests: 7,
  failed: 0,
  longestStallMs: null,
  started: [],
  replaced: ['web'],
  kept: [],
  trace: [],
}
const failure = { code: 'deploy-failed', message: 'web exited with 1', hint: 'Look at rack logs.' }
const draft = (environment: Environment = {}, build: string | null = null): ReleaseDraft => ({
  build,
  environment,
  description: 'test',
  basedOn: null,
})

async function refuses(promise: Promise<unknown>, code: ErrorCode, message?: RegExp): Promise<RackError> {
  const error = await promise.then(
    () => assert.fail(`did not refuse with ${code}`),
    (error: unknown) => error,
  )
  assert.ok(error instanceof RackError, `threw ${String(error)}`)
  assert.equal(error.code, code, error.message)
  if (message) assert.match(error.message, message)
  return error
}

/** An app with a complete build and its release. */
async function appWithBuild(store: Store, name: string) {
  await store.apps.create(name)
  const build = await store.builds.create(name, null)
  const release = await store.releases.appendOfBuild(build.id, content, (history) =>
    releaseOfBuild(history, build.id, null),
  )
  return { app: name, build, release }
}

async function promote(store: Store, app: string, release: string): Promise<void> {
  const operation = await store.operations.begin(app, 'promote', 'alice', { release })
  await store.operations.complete(operation.id, { liveRelease: release })
}

function appScenarios(scenario: Scenario): void {
  scenario('an app is created once, and found again', async ({ store }) => {
    const app = await store.apps.create('shop')
    assert.deepEqual(
      { ...app, created: '' },
      { name: 'shop', status: 'creating', release: null, locked: false, created: '' },
    )
    assert.match(app.created, rfc3339)
    await store.apps.create('blog')
    assert.deepEqual(await store.apps.get('shop'), app)
    assert.equal(await store.apps.get('none'), null)
    assert.deepEqual(
      (await store.apps.list()).map((each) => each.name),
      ['blog', 'shop'],
    )
    const error = await refuses(store.apps.create('shop'), 'exists', /"shop"/)
    assert.match(error.hint ?? '', /--app/)
  })

  scenario('of many creations of one name at once, one wins', async ({ store }) => {
    const all = await Promise.allSettled(Array.from({ length: 8 }, async () => store.apps.create('shop')))
    assert.equal(all.filter((each) => each.status === 'fulfilled').length, 1)
    for (const each of all)
      if (each.status === 'rejected') assert.equal((each.reason as RackError).code, 'exists')
  })

  scenario('status and lock change; an app that is not there is said', async ({ store }) => {
    await store.apps.create('shop')
    await store.apps.setStatus('shop', 'failed')
    await store.apps.setLocked('shop', true)
    assert.equal((await store.apps.get('shop'))?.status, 'failed')
    assert.equal((await store.apps.get('shop'))?.locked, true)
    await store.apps.setLocked('shop', false)
    assert.equal((await store.apps.get('shop'))?.locked, false)
    await refuses(store.apps.setStatus('none', 'failed'), 'not-found', /app "none"/)
    await refuses(store.apps.setLocked('none', true), 'not-found', /app "none"/)
  })

  scenario('a removed app takes all its rows along, and no one else’s', async ({ store }) => {
    const { build, release } = await appWithBuild(store, 'shop')
    const other = await appWithBuild(store, 'blog')
    const operation = await store.operations.begin('shop', 'promote', 'alice', { release: release.id })
    const formation = { web: { count: 2, cpuUnits: 128, memoryBytes: 1 } }
    await store.operations.complete(operation.id, { liveRelease: release.id, formation })
    const pool = { cidr: '10.9.0.0/24', subnetBits: 24 }
    await store.addresses.subnet('shop', pool, () => true)
    await store.addresses.take('shop', 'PAAAAAAAAAA')
    await store.operations.begin('shop', 'delete', 'alice', {})

    await store.apps.remove('shop')
    await store.apps.remove('shop')
    assert.equal(await store.apps.get('shop'), null)
    assert.equal(await store.builds.get('shop', build.id), null)
    assert.equal(await store.releases.get('shop', release.id), null)
    assert.equal(await store.operations.get(operation.id), null)
    assert.deepEqual(await store.operations.running(), [])
    assert.deepEqual(await store.formations.get('shop'), {})
    assert.deepEqual(await store.addresses.holders('shop'), [])
    assert.equal(
      await store.addresses.subnet('blog', pool, () => true),
      '10.9.0.0/24',
      'the subnet is free again',
    )
    assert.deepEqual(await store.releases.list('blog', 9), [other.release])

    await store.apps.create('shop')
    assert.equal((await store.apps.get('shop'))?.release, null)
    assert.deepEqual(await store.releases.list('shop', 9), [])
  })

  scenario('what is refused for an app that is not there is not-found', async ({ store }) => {
    await refuses(store.builds.create('none', null), 'not-found', /app "none"/)
    await refuses(
      store.releases.append('none', () => draft()),
      'not-found',
      /app "none"/,
    )
    await refuses(store.operations.begin('none', 'promote', 'alice', {}), 'not-found', /app "none"/)
    await refuses(
      store.addresses.subnet('none', { cidr: '10.9.0.0/16', subnetBits: 24 }, () => true),
      'not-found',
    )
    await refuses(store.addresses.take('none', 'P'), 'not-found')
  })
}

function buildScenarios(scenario: Scenario): void {
  scenario(
    'a build goes from created through running to complete, with exactly one release',
    async ({ store }) => {
      await store.apps.create('shop')
      const build = await store.builds.create('shop', 'first')
      assert.match(build.id, /^B[A-Z]{10}$/)
      assert.equal(build.status, 'created')
      assert.equal(build.description, 'first')
      await store.builds.start(build.id)
      await store.builds.start(build.id)
      const running = await store.builds.get('shop', build.id)
      assert.equal(running?.status, 'running')
      assert.match(running?.started ?? '', rfc3339)
      await refuses(store.builds.content(build.id), 'not-found')

      const release = await store.releases.appendOfBuild(build.id, content, (history) =>
        releaseOfBuild(history, build.id, 'first'),
      )
      assert.match(release.id, /^R[A-Z]{10}$/)
      const complete = await store.builds.get('shop', build.id)
      assert.equal(complete?.status, 'complete')
      assert.equal(complete?.release, release.id)
      assert.match(complete?.ended ?? '', rfc3339)
      assert.deepEqual(await store.builds.content(build.id), content)

      const again = store.releases.appendOfBuild(build.id, content, (history) =>
        releaseOfBuild(history, build.id, null),
      )
      await refuses(again, 'conflict', /complete already/)
      await refuses(store.builds.start(build.id), 'conflict')
      await refuses(store.builds.fail(build.id, 'late'), 'conflict')
      assert.equal((await store.releases.list('shop', 9)).length, 1)
    },
  )

  scenario('a failed build keeps its first reason and makes no release', async ({ store }) => {
    await store.apps.create('shop')
    const { id } = await store.builds.create('shop', null)
    await store.builds.fail(id, 'step 3 of web failed:\0 line 7')
    await store.builds.fail(id, 'another reason')
    const failed = await store.builds.get('shop', id)
    assert.equal(failed?.status, 'failed')
    assert.equal(failed?.reason, 'step 3 of web failed:\uFFFD line 7')
    await refuses(store.builds.start(id), 'conflict')
    await refuses(
      store.releases.appendOfBuild(id, content, () => draft({}, id)),
      'conflict',
    )
    await refuses(store.builds.content(id), 'not-found')
    assert.equal(await store.releases.newest('shop'), null)
  })

  scenario('builds are listed newest first, by app and by status', async ({ store }) => {
    await store.apps.create('shop')
    await store.apps.create('blog')
    const a = await store.builds.create('shop', 'a')
    const b = await store.builds.create('blog', 'b')
    const c = await store.builds.create('shop', 'c')
    await store.builds.start(c.id)
    assert.deepEqual(
      (await store.builds.list('shop', 9)).map((each) => each.id),
      [c.id, a.id],
    )
    assert.deepEqual(
      (await store.builds.list('shop', 1)).map((each) => each.id),
      [c.id],
    )
    assert.deepEqual(
      (await store.builds.inStatus(['created'])).map((each) => each.id),
      [a.id, b.id],
    )
    assert.deepEqual(
      (await store.builds.inStatus(['created', 'running'])).map((each) => each.id),
      [a.id, b.id, c.id],
    )
    assert.deepEqual(await store.builds.inStatus([]), [])
    assert.equal(await store.builds.get('blog', a.id), null, "another app's build is not found")
    await refuses(store.builds.start('BAAAAAAAAAA'), 'not-found')
    await refuses(store.builds.fail('BAAAAAAAAAA', 'x'), 'not-found')
    await refuses(store.builds.content('BAAAAAAAAAA'), 'not-found')
  })

  scenario('a build is removed unless its release is live or about to be', async ({ store }) => {
    const { app, build, release } = await appWithBuild(store, 'shop')
    await promote(store, app, release.id)
    const environment = await store.releases.append(app, (history) =>
      releaseOfEnvironment(history, (before) => ({ ...before, A: '1' })),
    )
    await promote(store, app, environment.id)
    await refuses(store.builds.remove(app, build.id), 'conflict', new RegExp(environment.id))

    const next = await store.builds.create(app, null)
    const nextRelease = await store.releases.appendOfBuild(next.id, content, () => draft({}, next.id))
    const operation = await store.operations.begin(app, 'promote', 'alice', { release: nextRelease.id })
    await refuses(store.builds.remove(app, next.id), 'conflict')
    await store.operations.complete(operation.id, { liveRelease: nextRelease.id })

    await store.builds.remove(app, build.id)
    await store.builds.remove(app, build.id)
    assert.equal(await store.builds.get(app, build.id), null)
    assert.equal(
      (await store.releases.get(app, environment.id))?.build,
      null,
      'its releases stay in the history',
    )
    assert.deepEqual(await store.releases.environment(app, environment.id), { A: '1' })
  })

  scenario('a build that is being made is not removed', async ({ store }) => {
    await store.apps.create('shop')
    const build = await store.builds.create('shop', null)
    await store.operations.begin('shop', 'build', 'alice', { build: build.id })
    const error = await refuses(store.builds.remove('shop', build.id), 'conflict')
    assert.match(error.hint ?? '', /builds cancel/)
  })
}

function releaseScenarios(scenario: Scenario): void {
  scenario('a release is derived from the newest and the live one', async ({ store }) => {
    const { app, build, release } = await appWithBuild(store, 'shop')
    const seen: unknown[] = []
    const first = await store.releases.append(app, (history) => {
      seen.push(history)
      return {
        build: build.id,
        environment: { A: '1', B: 'two\nlines "quoted" ü' },
        description: 'env',
        basedOn: release.id,
      }
    })
    assert.deepEqual(seen, [{ newest: { release, environment: {} }, live: null }])
    await promote(store, app, first.id)
    const second = await store.releases.append(app, (history) =>
      releaseOfEnvironment(history, (before) => ({ ...before, C: '3' })),
    )
    assert.equal(second.basedOn, first.id)
    assert.equal(second.build, build.id)
    assert.deepEqual(await store.releases.environment(app, second.id), {
      A: '1',
      B: 'two\nlines "quoted" ü',
      C: '3',
    })
    assert.deepEqual(await store.releases.environment(app, first.id), { A: '1', B: 'two\nlines "quoted" ü' })
    assert.deepEqual(await store.releases.list(app, 9), [second, first, release])
    assert.deepEqual(await store.releases.list(app, 2), [second, first])
    assert.deepEqual(await store.releases.newest(app), second)
    assert.deepEqual(await store.releases.get(app, first.id), first)
  })

  scenario('a derivation that throws leaves nothing, and its error comes out as it is', async ({ store }) => {
    const { app, release } = await appWithBuild(store, 'shop')
    const refusal = new RackError('invalid', 'no')
    await assert.rejects(
      store.releases.append(app, () => {
        throw refusal
      }),
      (error) => error === refusal,
    )
    const build = await store.builds.create(app, null)
    await assert.rejects(
      store.releases.appendOfBuild(build.id, content, () => {
        throw new TypeError('a bug')
      }),
      TypeError,
    )
    assert.equal((await store.builds.get(app, build.id))?.status, 'created')
    assert.deepEqual(await store.releases.list(app, 9), [release])
    await store.releases.append(app, () => draft())
  })

  scenario('a release of another app, or of none, is not found', async ({ store }) => {
    const { build, release } = await appWithBuild(store, 'shop')
    await store.apps.create('blog')
    assert.equal(await store.releases.get('blog', release.id), null)
    await refuses(store.releases.environment('blog', release.id), 'not-found')
    await refuses(store.releases.environment('shop', 'RAAAAAAAAAA'), 'not-found')
    await refuses(
      store.releases.append('blog', () => draft({}, build.id)),
      'not-found',
      /build/,
    )
    assert.equal(await store.releases.newest('blog'), null)
    await refuses(
      store.releases.appendOfBuild('BAAAAAAAAAA', content, () => draft()),
      'not-found',
      /build/,
    )
  })

  scenario('an id that is taken is followed by another', async ({ store, open }) => {
    await store.apps.create('shop')
    let calls = 0
    const stuck = (count: number) => (++calls % 3 === 0 ? randomBytes(count) : new Uint8Array(count).fill(1))
    const unlucky = await open({ randomBytes: stuck })
    const ids = new Set<string>()
    for (let i = 0; i < 4; i++) ids.add((await unlucky.builds.create('shop', null)).id)
    assert.equal(ids.size, 4)
    for (const id of ids) assert.match(id, idPattern)
    assert.ok(ids.has('BBBBBBBBBBB'), 'the bytes were ours')
  })
}

function operationScenarios(scenario: Scenario): void {
  scenario(
    'a promote is journalled, then live release, formation and receipt change at once',
    async ({ store }) => {
      const { app, release } = await appWithBuild(store, 'shop')
      const formation = { web: { count: 2, cpuUnits: 256, memoryBytes: 3 * 2 ** 40 } }
      const intent = { release: release.id, previousRelease: null, formation }
      const operation = await store.operations.begin(app, 'promote', 'alice', intent)
      assert.match(operation.id, /^O[A-Z]{10}$/)
      assert.deepEqual(operation.intent, intent)
      assert.equal((await store.apps.get(app))?.status, 'updating')
      assert.deepEqual(await store.operations.running(), [operation])
      assert.deepEqual(await store.formations.get(app), {}, 'what is asked for is not yet what is')

      await store.operations.complete(operation.id, { liveRelease: release.id, formation, receipt })
      await store.operations.complete(operation.id, { liveRelease: release.id, formation, receipt })
      const closed = await store.operations.get(operation.id)
      assert.equal(closed?.status, 'complete')
      assert.deepEqual(closed?.receipt, receipt)
      assert.match(closed?.ended ?? '', rfc3339)
      assert.equal(closed?.error, null)
      const after = await store.apps.get(app)
      assert.deepEqual(
        { status: after?.status, release: after?.release },
        { status: 'running', release: release.id },
      )
      assert.deepEqual(await store.formations.get(app), formation)
      assert.deepEqual(await store.operations.running(), [])
      await refuses(store.operations.fail(operation.id, 'failed', failure), 'conflict', /complete already/)
    },
  )

  scenario('a second exclusive change is refused with who, what and since when', async ({ store }) => {
    await store.apps.create('shop')
    await store.apps.create('blog')
    const kinds: OperationKind[] = ['promote', 'scale', 'restart', 'delete']
    const first = await store.operations.begin('shop', 'promote', 'alice', {})
    for (const kind of kinds) {
      const error = await refuses(
        store.operations.begin('shop', kind, 'bob', {}),
        'busy',
        /promote.*alice.*since/,
      )
      assert.deepEqual(error.details, first)
      assert.match(error.hint ?? '', /rack apps cancel shop/)
    }
    await store.operations.begin('shop', 'build', 'bob', {})
    await store.operations.begin('shop', 'run', 'bob', {})
    await store.operations.begin('blog', 'delete', 'bob', {})
    assert.equal((await store.apps.get('shop'))?.status, 'updating')
    assert.equal((await store.apps.get('blog'))?.status, 'deleting')
    assert.equal((await store.operations.running()).length, 4)
    await store.operations.fail(first.id, 'failed', failure)
    await store.operations.begin('shop', 'scale', 'bob', {})
  })

  scenario('builds and runs are journalled without touching the app', async ({ store }) => {
    await store.apps.create('shop')
    await store.apps.setStatus('shop', 'failed')
    const build = await store.operations.begin('shop', 'build', 'alice', {})
    const run = await store.operations.begin('shop', 'run', 'alice', { process: 'web' })
    await store.operations.complete(build.id, {})
    await store.operations.fail(run.id, 'cancelled', failure)
    assert.equal((await store.apps.get('shop'))?.status, 'failed')
    assert.deepEqual(
      (await store.operations.list('shop', 9)).map((each) => each.id),
      [run.id, build.id],
    )
    assert.deepEqual(
      (await store.operations.list('shop', 1)).map((each) => each.id),
      [run.id],
    )
  })

  scenario(
    'a failed change leaves release and formation, and says what the app is now',
    async ({ store }) => {
      const { app, release } = await appWithBuild(store, 'shop')
      await promote(store, app, release.id)
      const scale = await store.operations.begin(app, 'scale', 'alice', {})
      const error = { ...failure, details: { web: ['line\0'] } }
      await store.operations.fail(scale.id, 'cancelled', error)
      await store.operations.fail(scale.id, 'cancelled', failure)
      assert.deepEqual((await store.operations.get(scale.id))?.error, error)
      assert.equal((await store.operations.get(scale.id))?.status, 'cancelled')
      assert.equal((await store.apps.get(app))?.status, 'running', 'as it was when the change began')
      assert.equal((await store.apps.get(app))?.release, release.id)
      await refuses(store.operations.complete(scale.id, {}), 'conflict', /cancelled already/)

      const restart = await store.operations.begin(app, 'restart', 'alice', {})
      await store.operations.fail(restart.id, 'failed', failure, 'failed')
      assert.equal((await store.apps.get(app))?.status, 'failed')
    },
  )

  scenario('a formation that names some types leaves the others', async ({ store }) => {
    await store.apps.create('shop')
    const one = { count: 1, cpuUnits: 128, memoryBytes: 1 }
    const first = await store.operations.begin('shop', 'scale', 'alice', {})
    await store.operations.complete(first.id, { formation: { web: one, worker: one } })
    const second = await store.operations.begin('shop', 'scale', 'alice', {})
    await store.operations.complete(second.id, { formation: { web: { ...one, count: 0 } } })
    assert.deepEqual(await store.formations.get('shop'), { web: { ...one, count: 0 }, worker: one })
  })

  scenario('what names no operation, or no release of the app, changes nothing', async ({ store }) => {
    const { release } = await appWithBuild(store, 'shop')
    await store.apps.create('blog')
    await refuses(store.operations.complete('OAAAAAAAAAA', {}), 'not-found', /operation/)
    await refuses(store.operations.fail('OAAAAAAAAAA', 'failed', failure), 'not-found', /operation/)
    assert.equal(await store.operations.get('OAAAAAAAAAA'), null)
    const operation = await store.operations.begin('blog', 'promote', 'alice', {})
    await refuses(
      store.operations.complete(operation.id, { liveRelease: release.id, receipt }),
      'not-found',
      /release/,
    )
    assert.deepEqual(await store.operations.running(), [operation])
    assert.equal((await store.apps.get('blog'))?.release, null)
  })

  scenario('times come from the clock that was given', async ({ open }) => {
    const store = await open({ now: () => new Date(1_700_000_000_123) })
    const { created } = await store.apps.create('shop')
    const { started } = await store.operations.begin('shop', 'run', 'alice', {})
    assert.deepEqual([created, started], ['2023-11-14T22:13:20.123Z', '2023-11-14T22:13:20.123Z'])
  })
}

function concurrencyScenarios(scenario: Scenario): void {
  scenario('of exclusive changes begun at once exactly one wins', async ({ store }) => {
    await store.apps.create('shop')
    for (let round = 0; round < 5; round++) {
      const begins = Array.from({ length: 6 }, async (_, i) =>
        store.operations.begin('shop', i % 2 ? 'scale' : 'promote', `user ${i}`, {}),
      )
      const all = await Promise.allSettled(begins)
      const [winner, ...others] = all.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
      assert.ok(winner && others.length === 0)
      for (const each of all) {
        if (each.status === 'rejected') assert.deepEqual((each.reason as RackError).details, winner)
      }
      await store.operations.complete(winner.id, {})
    }
  })

  scenario('twenty releases appended at once make one chain', async ({ store }) => {
    await store.apps.create('shop')
    const append = async (_: unknown, i: number) =>
      store.releases.append('shop', ({ newest }) => ({
        build: null,
        environment: { ...newest?.environment, [`K${i}`]: String(i) },
        description: `add K${i}`,
        basedOn: newest?.release.id ?? null,
      }))
    const made = await Promise.all(Array.from({ length: 20 }, append))
    const chain = (await store.releases.list('shop', 99)).reverse()
    assert.equal(chain.length, 20)
    assert.deepEqual(new Set(chain.map((each) => each.id)), new Set(made.map((each) => each.id)))
    chain.forEach((release, i) => assert.equal(release.basedOn, chain[i - 1]?.id ?? null))
    const last = await store.releases.environment('shop', chain.at(-1)!.id)
    assert.equal(Object.keys(last).length, 20, 'no change was lost')
  })

  scenario('of a cancel and a completion at once one wins, whole', async ({ store }) => {
    const { app, release } = await appWithBuild(store, 'shop')
    for (let round = 0; round < 5; round++) {
      await store.apps.setStatus(app, 'failed')
      const { id } = await store.operations.begin(app, 'promote', 'alice', {})
      const ends = [
        store.operations.complete(id, { liveRelease: release.id }),
        store.operations.fail(id, 'cancelled', failure),
      ]
      const [completed, cancelled] = await Promise.allSettled(ends)
      assert.notEqual(completed?.status, cancelled?.status)
      const { status } = (await store.operations.get(id)) ?? assert.fail('the row is gone')
      assert.equal(status, completed?.status === 'fulfilled' ? 'complete' : 'cancelled')
      assert.equal((await store.apps.get(app))?.status, status === 'complete' ? 'running' : 'failed')
    }
  })

  scenario('addresses and subnets taken at once are distinct', async ({ store }) => {
    const names = Array.from({ length: 6 }, (_, i) => `app-${i}`)
    for (const name of names) await store.apps.create(name)
    const pool = { cidr: '10.8.0.0/16', subnetBits: 24 }
    const subnets = await Promise.all(
      names.map(async (name) => store.addresses.subnet(name, pool, () => true)),
    )
    assert.equal(new Set(subnets).size, names.length)
    const takes = Array.from({ length: 30 }, async (_, i) => store.addresses.take('app-0', `P${i}`))
    assert.equal(new Set(await Promise.all(takes)).size, 30)
    const same = await Promise.all(Array.from({ length: 5 }, async () => store.addresses.take('app-1', 'P')))
    assert.equal(new Set(same).size, 1)
  })
}

function addressScenarios(scenario: Scenario): void {
  const pool = { cidr: '10.213.0.0/16', subnetBits: 24 }

  scenario(
    'an app keeps its subnet; one that clashes with the host is passed over, for now',
    async ({ store }) => {
      for (const name of ['one', 'two', 'three']) await store.apps.create(name)
      assert.equal(
        await store.addresses.subnet('one', pool, (cidr) => cidr !== '10.213.0.0/24'),
        '10.213.1.0/24',
      )
      assert.equal(await store.addresses.subnet('two', pool, () => true), '10.213.0.0/24')
      assert.equal(await store.addresses.subnet('three', pool, () => true), '10.213.2.0/24')
      assert.equal(await store.addresses.subnet('one', pool, () => false), '10.213.1.0/24')
      await store.addresses.freeSubnet('one')
      await store.addresses.freeSubnet('one')
      assert.equal(await store.addresses.subnet('one', pool, () => true), '10.213.1.0/24')
    },
  )

  scenario('a subnet never overlaps one of another size', async ({ store }) => {
    for (const name of ['one', 'two']) await store.apps.create(name)
    await store.addresses.subnet('one', { cidr: '10.213.0.0/16', subnetBits: 24 }, () => true)
    const wide = await store.addresses.subnet('two', { cidr: '10.213.0.0/16', subnetBits: 20 }, () => true)
    assert.equal(wide, '10.213.16.0/20')
  })

  scenario('an empty pool is said, and a bad one refused', async ({ store }) => {
    for (const name of ['one', 'two', 'three']) await store.apps.create(name)
    const small = { cidr: '10.213.7.0/28', subnetBits: 29 }
    assert.equal(await store.addresses.subnet('one', small, () => true), '10.213.7.0/29')
    assert.equal(await store.addresses.subnet('two', small, () => true), '10.213.7.8/29')
    await refuses(
      store.addresses.subnet('three', small, () => true),
      'capacity',
      /10\.213\.7\.0\/28/,
    )
    await refuses(
      store.addresses.subnet('three', pool, () => false),
      'capacity',
    )
    await refuses(
      store.addresses.subnet('three', { cidr: '10.213.0/16', subnetBits: 24 }, () => true),
      'invalid',
    )
    await refuses(
      store.addresses.subnet('three', { cidr: '10.213.0.0/24', subnetBits: 16 }, () => true),
      'invalid',
    )
    await refuses(
      store.addresses.subnet('three', { cidr: '10.213.0.0/24', subnetBits: 31 }, () => true),
      'invalid',
    )
  })

  scenario('a holder has one address, the gateway and the ends have none', async ({ store }) => {
    await store.apps.create('one')
    await refuses(store.addresses.take('one', 'P0'), 'not-found', /no subnet/)
    await store.addresses.subnet('one', { cidr: '10.213.0.0/16', subnetBits: 29 }, () => true)
    const given: string[] = []
    for (const holder of ['P1', 'P2', 'P3', 'P4', 'P5']) given.push(await store.addresses.take('one', holder))
    assert.deepEqual(given, ['10.213.0.2', '10.213.0.3', '10.213.0.4', '10.213.0.5', '10.213.0.6'])
    assert.equal(await store.addresses.take('one', 'P3'), '10.213.0.4')
    await refuses(store.addresses.take('one', 'P6'), 'capacity', /10\.213\.0\.0\/29/)
    await store.addresses.free('one', 'P2')
    await store.addresses.free('one', 'P2')
    assert.equal(await store.addresses.take('one', 'P6'), '10.213.0.3')
    assert.deepEqual(await store.addresses.holders('one'), [
      { holder: 'P1', address: '10.213.0.2' },
      { holder: 'P3', address: '10.213.0.4' },
      { holder: 'P4', address: '10.213.0.5' },
      { holder: 'P5', address: '10.213.0.6' },
      { holder: 'P6', address: '10.213.0.3' },
    ])
  })

  scenario('an address that was freed is not the next one to be given', async ({ store }) => {
    await store.apps.create('one')
    await store.addresses.subnet('one', { cidr: '10.213.0.0/16', subnetBits: 29 }, () => true)
    const given: string[] = []
    for (let i = 0; i < 7; i++) {
      given.push(await store.addresses.take('one', `P${i}`))
      await store.addresses.free('one', `P${i}`)
    }
    const last = given.map((address) => address.split('.').at(-1))
    assert.deepEqual(last, ['2', '3', '4', '5', '6', '2', '3'])
  })
}

function settingScenarios(scenario: Scenario): void {
  scenario('a token is found by its hash', async ({ store }) => {
    const hash = createHash('sha256').update('token').digest('hex')
    await store.tokens.add('install', hash, 'write')
    assert.deepEqual(await store.tokens.find(hash), { name: 'install', permission: 'write' })
    assert.equal(await store.tokens.find(hash.replace(/^./, 'x')), null)
    await store.tokens.add('reader', hash, 'read')
    assert.deepEqual(await store.tokens.find(hash), { name: 'reader', permission: 'read' })
  })

  scenario('a parameter is set and set again', async ({ store }) => {
    assert.equal(await store.parameters.get('retention'), null)
    await store.parameters.set('retention', '10')
    await store.parameters.set('retention', '20')
    assert.equal(await store.parameters.get('retention'), '20')
  })

  scenario('all is there after the store was closed and opened again', async ({ store, open }) => {
    const { app, build, release } = await appWithBuild(store, 'shop')
    const operation = await store.operations.begin(app, 'promote', 'alice', { release: release.id })
    await store.close()
    await store.close()
    const again = await open()
    assert.deepEqual(await again.operations.running(), [operation])
    assert.deepEqual(await again.releases.list(app, 9), [release])
    assert.deepEqual(await again.builds.content(build.id), content)
    assert.equal((await again.apps.get(app))?.status, 'updating')
  })

  scenario('a database that a newer version has changed is not opened', async ({ store, database, open }) => {
    await store.close()
    await database.execute(`insert into kysely_migration values ('9999-future', '2099-01-01T00:00:00.000Z')`)
    const error = await refuses(open(), 'store-failed', /newer version of Rack.*9999-future/)
    assert.ok(error.hint)
  })
}

function secretScenarios(scenario: Scenario): void {
  scenario('no secret rests in the clear', async ({ store, database }) => {
    const { app, release } = await appWithBuild(store, 'shop')
    await store.releases.append(app, () => draft({ DATABASE_PASSWORD: 'environment-secret-4711' }))
    await store.builds.create(app, 'in-the-clear-4711')
    const bytes = await database.dump()
    assert.ok(
      bytes.includes('in-the-clear-4711') && bytes.includes(release.id),
      'the dump has what is no secret',
    )
    assert.ok(!bytes.includes('secret-4711'), 'a value')
    assert.ok(!bytes.includes('DATABASE_PASSWORD'), 'a name')
    assert.ok(!bytes.includes('LINK_PASSWORD'), 'a variable of an image')
    assert.ok(!bytes.includes(Buffer.from('secret-4711').toString('hex')), 'a value in hexadecimal')
  })

  scenario(
    'an environment that was moved to another release, app or build does not open',
    async ({ store, database }) => {
      const { app, build, release } = await appWithBuild(store, 'shop')
      const other = await store.releases.append(app, () => draft({ A: 'secret' }))
      const twin = await store.releases.append(app, () => draft({ A: 'twin' }))
      const envelopeOf = (id: string) => `(select environment from releases where id = '${id}')`
      await database.execute(
        `update releases set environment = ${envelopeOf(other.id)} where id = '${twin.id}'`,
      )
      const error = await refuses(store.releases.environment(app, twin.id), 'store-failed', /damaged/)
      assert.ok(error.hint)
      assert.ok(!error.message.includes('secret'))
      await refuses(
        store.releases.append(app, () => draft()),
        'store-failed',
      )
      assert.deepEqual(await store.releases.environment(app, other.id), { A: 'secret' })

      await database.execute(`update builds set content = ${envelopeOf(release.id)} where id = '${build.id}'`)
      await refuses(store.builds.content(build.id), 'store-failed', /damaged/)
      await store.apps.create('blog')
      await database.execute(`update releases set app = 'blog' where id = '${other.id}'`)
      await refuses(store.releases.environment('blog', other.id), 'store-failed', /damaged/)
    },
  )

  scenario('a changed byte, a cut and another envelope do not open', async ({ store, database }) => {
    await store.apps.create('shop')
    const { id } = await store.releases.append('shop', () => draft({ A: 'secret' }))
    const change = async (expression: string) => {
      await database.execute(`update releases set environment = ${expression} where id = '${id}'`)
      return store.releases.environment('shop', id)
    }
    const last = `substr(environment, length(environment), 1)`
    const swapped = `case ${last} when 'w' then 'A' else 'w' end`
    await refuses(
      change(`substr(environment, 1, length(environment) - 1) || ${swapped}`),
      'store-failed',
      /damaged/,
    )
    await refuses(change(`substr(environment, 1, 30)`), 'store-failed', /damaged/)
    await refuses(change(`replace(environment, 'v1.', 'v2.')`), 'store-failed', /damaged/)
    await refuses(change(`'{"A":"plain"}'`), 'store-failed', /damaged/)
    await refuses(change(`'v1.0000000000000000.${'A'.repeat(60)}'`), 'store-failed', /another key/)
  })
}

function keyScenarios(scenario: Scenario): void {
  scenario('the key file is made once, for its owner alone', async ({ store, database, open }) => {
    const { keyFile } = database.options
    assert.equal((await stat(keyFile)).mode & 0o777, 0o600)
    const key = await readFile(keyFile, 'utf8')
    assert.equal(Buffer.from(key, 'base64').length, 32)
    await store.close()
    await open()
    assert.equal(await readFile(keyFile, 'utf8'), key)
    assert.ok(!(await database.dump()).includes(key.trim()))
  })

  scenario(
    'another key, a lost one and a spoilt one are refused when the store opens',
    async ({ store, database, open }) => {
      const { keyFile } = database.options
      const key = await readFile(keyFile, 'utf8')
      await store.close()
      await rm(keyFile)
      await refuses(open(), 'store-failed', /missing/)
      await assert.rejects(stat(keyFile), 'no new key in its place')
      const write = async (text: string, mode = 0o600) => {
        await writeFile(keyFile, text)
        await chmod(keyFile, mode)
        return refuses(open(), 'store-failed')
      }
      assert.match((await write(`${randomBytes(32).toString('base64')}\n`)).message, /not the one/)
      assert.match((await write(key, 0o640)).hint ?? '', /chmod 0600/)
      assert.match((await write(key, 0o604)).message, /read by others/)
      assert.match((await write('')).message, /does not hold a key/)
      assert.match((await write(key.slice(0, 20))).message, /does not hold a key/)
      assert.match((await write(`${'!'.repeat(44)}\n`)).message, /does not hold a key/)
      await writeFile(keyFile, key)
      await chmod(keyFile, 0o600)
      await open()
    },
  )

  scenario('a database of another rack is refused', async ({ open }) => {
    const error = await refuses(open({ rack: 'office' }), 'store-failed', /"home".*"office"/)
    assert.ok(error.hint)
  })
}
