import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { chmod, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { after, before, describe, test } from 'node:test'
import { noSettings, type BuildContent } from '../../src/domain/build.ts'
import type { Receipt } from '../../src/domain/deployment.ts'
import type { Environment } from '../../src/domain/environment.ts'
import { RackError, type ErrorCode } from '../../src/domain/error.ts'
import { idPattern } from '../../src/domain/id.ts'
import type { NoticedPort } from '../../src/domain/noticed-port.ts'
import type { OperationKind } from '../../src/domain/operation.ts'
import { sightingOf, type Sighting } from '../../src/domain/process-news.ts'
import type { AppProcess } from '../../src/domain/process.ts'
import { releaseOfBuild, releaseOfEnvironment, type ReleaseDraft } from '../../src/domain/release.ts'
import type { Store } from '../../src/domain/store.ts'
import { leadStore, openStore, type StoreOptions } from '../../src/store/open-store.ts'
import type { Databases, TestDatabase } from '../support/databases.ts'
import { tokensBeforeRoles } from '../support/earlier-tables.ts'
import { strictPolicy } from '../../src/domain/policy.ts'
import { auditScenarios } from './store-audit.ts'
import { serviceScenarios } from './store-services.ts'
import { shareScenarios } from './store-shares.ts'
import { timerScenarios } from './store-timers.ts'

/** States what every store does for those above the contract. */
export function storeContract(name: string, start: () => Promise<Databases>): void {
  describe(`store contract: ${name}`, { concurrency: 2 }, () => {
    let harness: Databases
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
    historyScenarios(scenario)
    eventScenarios(scenario)
    timerScenarios(scenario)
    serviceScenarios(scenario)
    shareScenarios(scenario)
    auditScenarios(scenario)
    concurrencyScenarios(scenario)
    settingScenarios(scenario)
    secretScenarios(scenario)
    keyScenarios(scenario)
    leadScenarios(scenario)
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
  kept: null,
  beside: [],
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
      reference: 'registry.example/shop@1',
      digest: `sha256:${'a'.repeat(64)}`,
      exposed: ['5000/tcp'],
      link: { LINK_PASSWORD: 'link-secret-4711' },
      user: null,
      healthcheck: null,
      volumes: [],
      entrypoint: ['/entry.sh'],
      command: null,
      workingDir: '/srv',
      stopSignal: 'SIGQUIT',
    },
  },
}

const receipt: Receipt = {
  requests: 7,
  failed: 0,
  longestStallMs: null,
  held: null,
  draining: [],
  measurement: null,
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
  links: [],
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
      { name: 'shop', status: 'running', release: null, locked: false, created: '' },
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
    await store.operations.begin('shop', 'delete', 'alice', {})

    await store.apps.remove('shop')
    await store.apps.remove('shop')
    assert.equal(await store.apps.get('shop'), null)
    assert.equal(await store.builds.get('shop', build.id), null)
    assert.equal(await store.releases.get('shop', release.id), null)
    assert.equal(await store.operations.get(operation.id), null)
    assert.deepEqual(await store.operations.running(), [])
    assert.deepEqual(await store.formations.get('shop'), {})
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
  })
}

function buildScenarios(scenario: Scenario): void {
  scenario(
    'a build that is older than what images say of their process has null for it, and its digest for reference',
    async ({ store }) => {
      await store.apps.create('shop')
      const { entrypoint: _e, command: _c, workingDir: _w, stopSignal: _s, ...rest } = content.images['web']!
      const { reference: _r, ...older } = rest
      const { id } = await store.builds.create('shop', null)
      await store.builds.start(id)
      const kept = { ...content, images: { web: older } } as unknown as BuildContent
      await store.releases.appendOfBuild(id, kept, (history) => releaseOfBuild(history, id, null))
      assert.deepEqual((await store.builds.content(id)).images['web'], {
        ...older,
        ...noSettings,
        reference: older.digest,
      })
    },
  )

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
        links: [],
      }
    })
    assert.deepEqual(seen, [{ newest: { release, environment: {} }, live: null, services: new Map() }])
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

  scenario(
    'what was noticed of raw ports comes and goes with what is live, and with its app',
    async ({ store }) => {
      await store.apps.create('shop')
      const port = { process: 'web', port: 3000, build: 'BAAAAAAAAAA', speaksHttp: true, isServed: false }
      const other = { process: 'api', port: 8000, build: 'BAAAAAAAAAA', speaksHttp: false, isServed: true }
      assert.deepEqual(await store.noticedPorts.get('shop'), [])
      const complete = async (noticed?: NoticedPort[]) => {
        const { id } = await store.operations.begin('shop', 'scale', 'alice', {})
        await store.operations.complete(id, noticed ? { noticed } : {})
      }
      await complete([port, other])
      assert.deepEqual(await store.noticedPorts.get('shop'), [other, port])
      await complete()
      assert.deepEqual(
        await store.noticedPorts.get('shop'),
        [other, port],
        'a change that says nothing changes nothing',
      )
      await complete([{ ...port, isServed: true }])
      assert.deepEqual(await store.noticedPorts.get('shop'), [{ ...port, isServed: true }])
      await store.apps.remove('shop')
      assert.deepEqual(await store.noticedPorts.get('shop'), [])
    },
  )

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

function historyScenarios(scenario: Scenario): void {
  scenario('what was live before is known, however much has happened since', async ({ open }) => {
    const store = await open({ keptOperations: 3 })
    const { app, release: first } = await appWithBuild(store, 'shop')
    const second = await store.releases.append(app, () => draft())
    assert.equal(await store.releases.liveBefore(app, first.id), null)
    assert.equal(await store.releases.wasBuildLive(app, first.build ?? ''), false)
    await promote(store, app, first.id)
    assert.equal(await store.releases.liveBefore(app, first.id), null)
    await promote(store, app, second.id)
    for (let i = 0; i < 8; i++) {
      const { id } = await store.operations.begin(app, 'scale', 'alice', { release: second.id })
      await store.operations.complete(id, { liveRelease: second.id })
    }
    assert.equal(await store.releases.liveBefore(app, second.id), first.id)
    assert.equal(await store.releases.liveBefore(app, first.id), null)
    await promote(store, app, first.id)
    assert.equal(await store.releases.liveBefore(app, first.id), second.id, 'the last time')
    assert.equal(await store.releases.liveBefore('none', first.id), null)
    assert.equal(await store.releases.wasBuildLive(app, first.build ?? ''), true)
    assert.equal(await store.releases.wasBuildLive('none', first.build ?? ''), false)
  })

  scenario('an app of another store comes under its row, with its history as it was', async ({ store }) => {
    const { imports, releases } = store
    const { build, release } = await appWithBuild(store, 'shop')
    const whole = (await releases.get('shop', release.id))!
    await refuses(imports.begin('shop', 'alice', {}), 'exists')
    const operation = await imports.begin('copy', 'alice', { imported: { volumes: ['data'], images: [] } })
    assert.equal((await store.apps.get('copy'))?.status, 'creating')
    assert.deepEqual(
      (await store.operations.running()).map(({ id, intent }) => [id, intent.imported?.volumes]),
      [[operation.id, ['data']]],
    )
    await refuses(
      store.operations.begin('copy', 'promote', 'alice', {}),
      'busy',
      /an import of "copy" by alice/,
    )
    assert.deepEqual(
      await imports.known([build.id, release.id, 'BZZZZZZZZZZ']),
      new Set([build.id, release.id]),
    )
    const links = [{ alias: 'db', service: 'none-here', version: 'elsewhere' }]
    const rows = [
      {
        build: { ...build, id: 'BZZZZZZZZZZ', status: 'complete' as const, release: 'RZZZZZZZZZZ' },
        content,
      },
      {
        release: { ...whole, id: 'RZZZZZZZZZZ', build: 'BZZZZZZZZZZ', links },
        environment: { KEY: 'secret-4711' },
      },
    ]
    await refuses(imports.add('none', rows), 'not-found')
    await imports.add('copy', rows)
    await refuses(imports.add('copy', rows), 'exists')
    const before = '2020-01-01T00:00:00.000Z'
    await imports.addLives('copy', [{ release: 'RZZZZZZZZZZ', since: before }])
    assert.deepEqual(await releases.lives('copy'), [{ release: 'RZZZZZZZZZZ', since: before }])
    assert.equal(await releases.wasBuildLive('copy', 'BZZZZZZZZZZ'), false, 'it was not so here')
    assert.deepEqual(await releases.environment('copy', 'RZZZZZZZZZZ'), { KEY: 'secret-4711' })
    assert.deepEqual((await releases.get('copy', 'RZZZZZZZZZZ'))?.links, links)
    assert.deepEqual(await store.builds.content('BZZZZZZZZZZ'), content)
    const formation = { web: { count: 2, cpuUnits: 256, memoryBytes: 2 ** 20 } }
    await store.operations.complete(operation.id, { formation })
    const { status, release: live } = (await store.apps.get('copy'))!
    assert.deepEqual([status, live, await store.formations.get('copy')], ['running', null, formation])
  })

  scenario('the journal keeps the newest of each app, and all that runs', async ({ open }) => {
    const store = await open({ keptOperations: 3 })
    await store.apps.create('shop')
    await store.apps.create('blog')
    const other = await store.operations.begin('blog', 'scale', 'alice', {})
    await store.operations.complete(other.id, {})
    const build = await store.operations.begin('shop', 'build', 'alice', {})
    const ids: string[] = []
    for (let i = 0; i < 6; i++) {
      const { id } = await store.operations.begin('shop', 'restart', 'alice', {})
      if (i % 2) await store.operations.complete(id, {})
      else await store.operations.fail(id, 'failed', failure)
      ids.unshift(id)
    }
    const kept = async (app: string) => (await store.operations.list(app, 99)).map(({ id }) => id)
    assert.deepEqual(await kept('shop'), [...ids.slice(0, 3), build.id])
    await store.operations.complete(build.id, {})
    assert.deepEqual(await kept('shop'), ids.slice(0, 3))
    assert.deepEqual(await kept('blog'), [other.id])
  })

  scenario(
    'a store from before history was kept takes it from its journal',
    async ({ store, database, open }) => {
      const { app, release: first } = await appWithBuild(store, 'shop')
      const second = await store.releases.append(app, () => draft())
      for (const { id } of [first, first, second]) await promote(store, app, id)
      const failed = await store.operations.begin(app, 'promote', 'alice', { release: first.id })
      await store.operations.fail(failed.id, 'failed', failure)
      await store.apps.create('half')
      await store.apps.setStatus('half', 'creating')
      await store.close()
      for (const table of [
        'lives',
        'policies',
        'events',
        'audit',
        'audit_head',
        'endings',
        'processes',
        'process_ends',
        'timers',
        'timer_runs',
        'registries',
        'certificates',
        'authorities',
        'domains',
        'acme_accounts',
        'acme_orders',
        'noticed_ports',
        'shares',
        'share_keys',
        'release_links',
        'service_versions',
        'services',
      ]) {
        await database.execute(`drop table if exists ${table}`)
      }
      for (const statement of tokensBeforeRoles) await database.execute(statement)
      await database.execute(`delete from kysely_migration where name >= '0002'`)
      const again = await open()
      assert.equal((await again.apps.get('half'))?.status, 'running', 'what a kill had left half created')
      assert.equal(await again.releases.liveBefore(app, second.id), first.id)
      assert.equal(await again.releases.liveBefore(app, first.id), null)
    },
  )
}

function eventScenarios(scenario: Scenario): void {
  const told = async (store: Store, after = 0) =>
    (await store.events.after(after, 99)).map(({ noun, change, app, id, facts }) => [
      noun,
      change,
      app,
      id,
      facts,
    ])

  scenario('each change of an app, a release and an operation is an event, in order', async ({ store }) => {
    assert.equal(await store.events.newest(), 0)
    const { app, build, release } = await appWithBuild(store, 'shop')
    const { id } = await store.operations.begin(app, 'promote', 'alice', { release: release.id })
    await store.operations.complete(id, { liveRelease: release.id })
    await store.operations.complete(id, { liveRelease: release.id })
    await store.apps.setLocked(app, true)
    await store.apps.remove(app)
    await store.apps.remove(app)
    const kind = 'promote'
    assert.deepEqual(await told(store), [
      ['app', 'created', app, app, { status: 'running' }],
      ['release', 'created', app, release.id, { build: build.id }],
      ['app', 'changed', app, app, { status: 'updating' }],
      ['operation', 'created', app, id, { kind, status: 'running' }],
      ['app', 'changed', app, app, { status: 'running' }],
      ['operation', 'changed', app, id, { kind, status: 'complete' }],
      ['app', 'changed', app, app, { status: 'running' }],
      ['app', 'removed', app, app, {}],
    ])
    const all = await store.events.after(0, 99)
    assert.equal(all.at(-1)?.cursor, await store.events.newest())
    assert.match(all[0]?.time ?? '', rfc3339)
    const [first, second] = all.slice(1)
    assert.deepEqual(await store.events.after(all[0]!.cursor, 2), [first, second])
  })

  scenario(
    'what becomes of processes is told with what was told last, once each',
    async ({ store, open }) => {
      await store.apps.create('shop')
      const process = sightingOf(endedProcess('shop', 'PAAAAAAAAAA'))
      const running: Sighting = { ...process, status: 'running', detail: null }
      const begun = await store.events.newest()
      const other = { ...running, id: 'PBBBBBBBBBB', kind: 'process' as const }
      await store.processes.tell('shop', [
        { change: 'created', process: running },
        { change: 'created', process: other },
      ])
      await store.endings.add(endedProcess('shop', process.id))
      await store.endings.add(endedProcess('shop', process.id))
      const late = { ...other, app: 'gone', id: 'PCCCCCCCCCC' }
      await store.processes.tell('gone', [{ change: 'created', process: late }])
      for (const change of ['created', 'removed'] as const)
        await store.processes.tell('shop', [{ change, process }])
      const unhealthy: Sighting = { ...other, status: 'unhealthy' }
      await store.processes.tell('shop', [{ change: 'changed', process: unhealthy }])
      await store.close()
      const again = await open()
      assert.deepEqual(await again.processes.list(), [unhealthy])
      const gone = { change: 'removed', process: unhealthy } as const
      for (let times = 0; times < 2; times++) await again.processes.tell('shop', [gone])
      const facts = { type: 'web', kind: 'one-off', release: 'RAAAAAAAAAA', status: 'running' }
      const ofType = { ...facts, kind: 'process' }
      assert.deepEqual(await told(again, begun), [
        ['process', 'created', 'shop', process.id, facts],
        ['process', 'created', 'shop', other.id, ofType],
        ['process', 'removed', 'shop', process.id, { ...facts, status: 'crashed', detail: 'crashed (7)' }],
        ['process', 'changed', 'shop', other.id, { ...ofType, status: 'unhealthy' }],
        ['process', 'removed', 'shop', other.id, { ...ofType, status: 'unhealthy' }],
      ])
      assert.deepEqual(await again.processes.list(), [])
    },
  )

  scenario('ends are counted by type, each once, and outlive their process', async ({ store, open }) => {
    await store.apps.create('shop')
    const ended = { ...endedProcess('shop', 'PAAAAAAAAAA'), outOfMemory: 1 }
    const web: Sighting = { ...sightingOf(ended), id: 'PBBBBBBBBBB', kind: 'process', outOfMemory: 0 }
    const begun = await store.events.newest()
    const tell = async (change: 'created' | 'changed' | 'counted' | 'removed', process: Sighting) =>
      await store.processes.tell('shop', [{ change, process }])
    await tell('created', { ...web, restarts: 2 })
    for (let times = 0; times < 2; times++) await tell('counted', { ...web, restarts: 5, outOfMemory: 2 })
    await tell('removed', { ...web, restarts: 5, outOfMemory: 2 })
    // What ran once is counted by its end, whether it was seen before or not.
    await tell('created', sightingOf(ended))
    for (let times = 0; times < 2; times++) await store.endings.add(ended)
    const changes = (await told(store, begun)).map(([, change, , id]) => [change, id])
    assert.deepEqual(changes, [
      ['created', web.id],
      ['removed', web.id],
      ['created', ended.id],
      ['removed', ended.id],
    ])
    await store.close()
    const again = await open()
    assert.deepEqual(await again.processes.ends(), [
      { app: 'shop', type: 'web', restarts: 5, outOfMemory: 3 },
    ])
    await again.apps.remove('shop')
    assert.deepEqual(await again.processes.ends(), [])
  })

  scenario(
    'the end of a process completes the run that it was, with its exit code, once',
    async ({ store }) => {
      await store.apps.create('shop')
      const begin = async (kind: OperationKind) =>
        (await store.operations.begin('shop', kind, 'alice', { process: 'web' })).id
      const [run, failed, build] = [await begin('run'), await begin('run'), await begin('build')]
      await store.operations.fail(failed, 'failed', { code: 'cancelled', message: 'the daemon ended' })
      const begun = await store.events.newest()
      for (const [index, id] of [run, run, failed, build, 'OZZZZZZZZZZ'].entries()) {
        await store.endings.add(endedProcess('shop', `P${'ABCDE'[index]}AAAAAAAAA`), id)
      }
      const row = await store.operations.get(run)
      assert.deepEqual(
        [row?.status, row?.intent, row?.error],
        ['complete', { process: 'web', exitCode: 7 }, null],
      )
      assert.match(row?.ended ?? '', rfc3339)
      const others = [await store.operations.get(failed), await store.operations.get(build)]
      assert.deepEqual(
        others.map((other) => [other?.status, other?.intent]),
        [
          ['failed', { process: 'web' }],
          ['running', { process: 'web' }],
        ],
      )
      assert.equal((await store.apps.get('shop'))?.status, 'running')
      const ends = (await told(store, begun)).filter(([noun]) => noun === 'operation')
      assert.deepEqual(ends, [['operation', 'changed', 'shop', run, { kind: 'run', status: 'complete' }]])
    },
  )

  scenario('what is refused or fails is no event', async ({ store }) => {
    await store.apps.create('shop')
    const before = await store.events.newest()
    await refuses(store.apps.create('shop'), 'exists')
    await refuses(store.apps.setStatus('none', 'failed'), 'not-found')
    const { id } = await store.operations.begin('shop', 'promote', 'alice', {})
    const begun = await store.events.newest()
    assert.ok(begun > before)
    await refuses(store.operations.complete(id, { liveRelease: 'RAAAAAAAAAA' }), 'not-found')
    await refuses(store.operations.begin('shop', 'scale', 'alice', {}), 'busy')
    assert.deepEqual(await store.events.after(begun, 9), [])
  })

  scenario('the newest are kept; who asks for older ones is told to read anew', async ({ open }) => {
    const store = await open({ keptEvents: 5 })
    for (let i = 0; i < 8; i++) await store.apps.create(`app-${i}`)
    const newest = await store.events.newest()
    const kept = await store.events.after(newest - 5, 99)
    assert.deepEqual(
      kept.map(({ app }) => app),
      ['app-3', 'app-4', 'app-5', 'app-6', 'app-7'],
    )
    const error = await refuses(store.events.after(newest - 6, 9), 'gone')
    assert.match(error.hint ?? '', /whole state.*newest/)
    assert.deepEqual(await store.events.after(newest, 9), [])
    await refuses(store.events.after(newest + 1, 9), 'gone')
  })

  scenario(
    'who listens hears of each change, and of changes at once none is passed over',
    async ({ store }) => {
      const seen: string[] = []
      let cursor = 0
      const read = async () => {
        while (seen.length < 20) {
          using news = store.events.listen()
          const events = await store.events.after(cursor, 3)
          for (const event of events) {
            assert.ok(event.cursor > cursor)
            cursor = event.cursor
            seen.push(event.app)
          }
          if (events.length === 0) await news.heard
        }
      }
      const names = Array.from({ length: 20 }, (_none, i) => `app-${i}`)
      await Promise.all([read(), ...names.map(async (name) => store.apps.create(name))])
      assert.deepEqual(seen.toSorted(), names.toSorted())
    },
  )
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
        links: [],
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
}

function settingScenarios(scenario: Scenario): void {
  scenario('tokens are kept as hashes, with what they may and until when', async ({ store }) => {
    const sha256 = createHash('sha256').update('token').digest('hex')
    const other = createHash('sha256').update('other').digest('hex')
    await store.tokens.add({ name: 'install', sha256, role: 'admin', apps: null, expires: null })
    const expires = '2027-01-01T00:00:00.000Z'
    await store.tokens.add({ name: 'ci', sha256: other, role: 'deploy', apps: ['shop'], expires })
    await store.tokens.noteUse(other, '2026-12-01T00:00:00.000Z')
    const found = await store.tokens.list()
    assert.deepEqual(
      found.map(({ created: _created, ...token }) => token),
      [
        {
          name: 'ci',
          sha256: other,
          role: 'deploy',
          apps: ['shop'],
          expires,
          lastUsed: '2026-12-01T00:00:00.000Z',
        },
        { name: 'install', sha256, role: 'admin', apps: null, expires: null, lastUsed: null },
      ],
    )
    await store.tokens.add({ name: 'reader', sha256, role: 'read', apps: null, expires: null })
    await store.tokens.remove(other)
    await store.tokens.remove(other)
    assert.deepEqual(
      (await store.tokens.list()).map(({ name, role }) => `${name} ${role}`),
      ['reader read'],
    )
  })

  scenario(
    'what became of a process is kept without its command, once, and goes with its app',
    async ({ store, open }) => {
      await store.apps.create('shop')
      await store.apps.create('blog')
      const one = endedProcess('shop', 'PAAAAAAAAAA')
      await store.endings.add(one)
      await store.endings.add({ ...one, exitCode: 0 })
      await store.endings.add(endedProcess('blog', 'PBBBBBBBBBB'))
      await store.endings.add(endedProcess('gone', 'PCCCCCCCCCC'))
      await store.close()
      const { endings, apps } = await open()
      assert.deepEqual(await endings.list('shop'), [{ ...one, command: [] }])
      assert.deepEqual(await endings.get('shop', one.id), { ...one, command: [] })
      assert.equal(await endings.get('blog', one.id), null)
      assert.deepEqual(await endings.list('gone'), [])
      await apps.remove('shop')
      assert.deepEqual([await endings.list('shop'), (await endings.list('blog')).length], [[], 1])
    },
  )

  scenario(
    'of very many ended processes the newest five hundred of an app and a kind are kept',
    async ({ store, database }) => {
      await store.apps.create('shop')
      await store.apps.create('blog')
      await store.endings.add(endedProcess('blog', 'PBBBBBBBBBB'))
      const numbers = 'with recursive n(i) as (select 1 union all select i + 1 from n where i < 510)'
      await database.execute(
        `insert into endings (process, app, kind, facts) ${numbers} select 'P' || i, 'shop', 'timer', '{}' from n`,
      )
      await store.endings.add(endedProcess('shop', 'PBBBBBBBBBC'))
      await store.endings.add({ ...endedProcess('shop', 'PAAAAAAAAAA'), kind: 'timer' })
      const kept = (await store.endings.list('shop')).map(({ id }) => id)
      assert.deepEqual([kept.length, kept[0], kept.at(-1)], [501, 'P12', 'PAAAAAAAAAA'])
      assert.ok(kept.includes('PBBBBBBBBBC'), 'the runs of a timer forget no other')
      assert.equal((await store.endings.list('blog')).length, 1)
    },
  )

  scenario('a parameter is set and set again', async ({ store }) => {
    assert.equal(await store.parameters.get('retention'), null)
    await store.parameters.set('retention', '10')
    await store.parameters.set('retention', '20')
    assert.equal(await store.parameters.get('retention'), '20')
  })

  scenario(
    'logins at registries are kept, one of each host, each sealed for its host',
    async ({ store, database }) => {
      const login = { host: 'registry.example.com', username: 'a', password: 'hush-4711' }
      await store.registries.set(login)
      await store.registries.set({ ...login, host: 'docker.io' })
      await store.registries.set({ ...login, username: 'b' })
      assert.deepEqual(await store.registries.logins(), [
        { ...login, host: 'docker.io' },
        { ...login, username: 'b' },
      ])
      const [hub] = await store.registries.list()
      assert.deepEqual([hub?.host, hub && Object.keys(hub)], ['docker.io', ['host', 'username', 'since']])
      assert.ok(await store.registries.remove('docker.io'))
      assert.ok(!(await store.registries.remove('docker.io')))
      // The password is sealed for its host: nobody else is given it.
      await database.execute(`update registries set host = 'evil.example.com'`)
      await assert.rejects(store.registries.logins(), { code: 'store-failed' })
    },
  )

  scenario(
    'certificates are kept with their keys sealed, and an authority is made once',
    async ({ store, database }) => {
      const [from, until] = ['2026-01-01T00:00:00.000Z', '2027-01-01T00:00:00.000Z']
      const facts = {
        names: ['shop.example.com'],
        issuer: 'X',
        fingerprint: 'AA:BB',
        from,
        until,
        authority: null,
      }
      const one = { id: 'CAAAAAAAAAA', ...facts, chain: 'pem', key: 'hush-4711' }
      await store.certificates.add(one)
      await store.certificates.add({ ...one, id: 'CBBBBBBBBBB' })
      const listed = await store.certificates.list()
      assert.deepEqual(listed.map(({ id }) => id).sort(), ['CAAAAAAAAAA', 'CBBBBBBBBBB'])
      const { since, ...kept } = listed.find(({ id }) => id === one.id)!
      assert.deepEqual([kept, typeof since], [one, 'string'])
      assert.ok(await store.certificates.remove('CBBBBBBBBBB'))
      assert.ok(!(await store.certificates.remove('CBBBBBBBBBB')))
      const made = await Promise.all(
        ['a', 'b', 'c'].map((key) =>
          store.certificates.authority('web', async () => ({ certificate: key, key: `hush-${key}` })),
        ),
      )
      assert.equal(new Set(made.map(({ key }) => key)).size, 1)
      assert.equal(made[0]!.key, `hush-${made[0]!.certificate}`)
      await database.execute(`update certificates set id = 'CCCCCCCCCCC'`)
      await assert.rejects(store.certificates.list(), { code: 'store-failed' })
    },
  )

  scenario(
    'one authority is asked, with the key that its account has, and orders are kept sealed',
    async ({ store, database }) => {
      const { acme } = store
      assert.equal(await acme.asked(), null)
      const one = { directory: 'https://a/', email: null, ca: null, url: null, key: 'hush-1' }
      await acme.ask(one)
      await acme.ask({ ...one, directory: 'https://b/', email: 'me@b' })
      assert.equal((await acme.asked())?.directory, 'https://b/')
      await acme.ask({ ...one, url: 'https://a/1', key: 'hush-2' })
      assert.deepEqual(await acme.asked(), { ...one, url: 'https://a/1' }, 'the first key stays')
      await acme.askNone()
      assert.equal(await acme.asked(), null)
      assert.equal((await acme.account('https://b/'))?.email, 'me@b')
      const order = {
        name: 'shop.example.com',
        directory: 'https://a/',
        url: null,
        challenge: null,
        failures: 0,
        next: '2026-01-01T00:00:00.000Z',
        failed: null,
        key: null,
      }
      await acme.keepOrder(order)
      const challenge = { kind: 'http-01' as const, token: 't', answer: 't.x' }
      await acme.keepOrder({ ...order, challenge, key: 'hush-3' })
      assert.deepEqual(await acme.orders(), [{ ...order, challenge, key: 'hush-3' }])
      await database.execute(`update acme_orders set name = 'blog.example.com'`)
      await assert.rejects(acme.orders(), { code: 'store-failed' })
      await acme.removeOrder('blog.example.com')
      assert.deepEqual(await acme.orders(), [])
    },
  )

  scenario('a domain is one app’s, and goes with it', async ({ store }) => {
    for (const app of ['shop', 'blog']) await store.apps.create(app)
    const one = { name: 'shop.example.com', app: 'shop', process: null }
    const { since, ...added } = await store.domains.add(one)
    assert.deepEqual([added, typeof since], [one, 'string'])
    assert.equal((await store.domains.add({ ...one, app: 'blog' })).app, 'shop', 'the first has it')
    await store.domains.add({ name: '*.example.com', app: 'blog', process: 'api' })
    assert.deepEqual(
      (await store.domains.list()).map(({ name, app, process }) => [name, app, process]),
      [
        ['*.example.com', 'blog', 'api'],
        ['shop.example.com', 'shop', null],
      ],
    )
    assert.ok(!(await store.domains.remove('blog', 'shop.example.com')))
    assert.ok(await store.domains.remove('shop', 'shop.example.com'))
    await store.apps.remove('blog')
    assert.deepEqual(await store.domains.list(), [])
  })

  scenario('a policy is kept with who wanted it; of changes at once one wins', async ({ store, open }) => {
    const policyOf = (path: string) => ({ ...strictPolicy, binds: [path] })
    assert.equal(await store.policies.newest(), null)
    const seeds = ['/a', '/b', '/c'].map(async (path) => store.policies.seed(policyOf(path), 'install'))
    const [first, ...others] = await Promise.all(seeds)
    for (const other of others) assert.deepEqual(other, first)
    assert.deepEqual([first?.revision, first?.actor], [1, 'install'])
    assert.match(first?.since ?? '', rfc3339)
    assert.deepEqual(await store.policies.seed(policyOf('/late'), 'install'), first)
    const changes = ['/d', '/e', '/f'].map(async (path) => store.policies.replace(1, policyOf(path), 'alice'))
    const settled = await Promise.allSettled(changes)
    const [winner, ...none] = settled.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
    assert.deepEqual([winner?.revision, winner?.actor, none], [2, 'alice', []])
    await refuses(store.policies.replace(1, policyOf('/g'), 'bob'), 'conflict')
    assert.deepEqual(await (await open()).policies.newest(), winner)
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

function leadScenarios(scenario: Scenario): void {
  scenario('one at a time leads; others may read and write', async ({ store, database, open }) => {
    const lead = () => leadStore({ rack: 'home', ...database.options })
    const lease = await lead()
    assert.equal(lease.lost.aborted, false)
    const other = await open()
    const error = await refuses(lead(), 'conflict', /leads this store/)
    assert.match(error.hint ?? '', /One daemon at a time/)
    await other.apps.create('shop')
    assert.equal((await store.apps.get('shop'))?.name, 'shop')
    await lease[Symbol.asyncDispose]()
    await lease[Symbol.asyncDispose]()
    assert.equal(lease.lost.aborted, false, 'what was given back is not lost')
    await using _next = await lead()
    await refuses(lead(), 'conflict')
  })
}

function endedProcess(app: string, id: string): AppProcess {
  return {
    id,
    app,
    type: 'web',
    kind: 'one-off',
    status: 'crashed',
    detail: 'crashed (7)',
    release: 'RAAAAAAAAAA',
    started: '2026-11-28T10:00:00.000Z',
    ended: '2026-11-28T10:00:05.000Z',
    command: ['import', '--token', 'hunter2'],
    address: null,
    exitCode: 7,
    restarts: 0,
    outOfMemory: 0,
    cpuUnits: 256,
    memoryBytes: 2 ** 28,
    cpuPercent: null,
    memoryPercent: null,
  }
}
