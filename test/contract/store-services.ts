import assert from 'node:assert/strict'
import { RackError, type ErrorCode } from '../../src/domain/error.ts'
import { releaseOfLinks, type Release } from '../../src/domain/release.ts'
import { withLink } from '../../src/domain/service-link.ts'
import { parseServiceUrl } from '../../src/domain/service-url.ts'
import type { Store } from '../../src/domain/store.ts'

type Scenario = (title: string, run: (world: { store: Store }) => Promise<void>) => unknown

const first = parseServiceUrl('postgres://app:first-secret-4711@db.example.com/shop')
const second = parseServiceUrl('postgres://app:second-secret-4711@db.example.com/shop')

const fails = (code: ErrorCode) => (error: unknown) => error instanceof RackError && error.code === code

async function link(store: Store, app: string, service: string, alias = service): Promise<Release> {
  return await store.releases.append(app, (history) => {
    const version = history.services.get(service) ?? 'VAAAAAAAAAA'
    return releaseOfLinks(history, (links) => withLink(links, { alias, service, version }), 'link')
  })
}

async function unlink(store: Store, app: string): Promise<Release> {
  return await store.releases.append(app, (history) => releaseOfLinks(history, () => [], 'unlink'))
}

async function promote(store: Store, app: string, release: string): Promise<void> {
  const operation = await store.operations.begin(app, 'promote', 'alice', { release })
  await store.operations.complete(operation.id, { liveRelease: release })
}

async function change(store: Store): Promise<Release[]> {
  return await store.services.setAddress('main', second, (history, version) =>
    releaseOfLinks(
      history,
      (links) => links.map((each) => (each.service === 'main' ? { ...each, version } : each)),
      'link change',
    ),
  )
}

/** Services and what releases keep of them; part of the store's contract. */
export function serviceScenarios(scenario: Scenario): void {
  scenario(
    'a service is made once, with an address that only its name and version open',
    async ({ store }) => {
      const made = await store.services.create(
        { name: 'main', type: 'url', status: 'running', run: null },
        first,
      )
      await assert.rejects(
        store.services.create({ name: 'main', type: 'url', status: 'running', run: null }, second),
        fails('exists'),
      )
      assert.deepEqual(await store.services.list(), [made])
      assert.deepEqual((await store.services.version('main', made.version))?.address, first)
      assert.equal(await store.services.version('other', made.version), null)
    },
  )

  scenario('a release keeps what its links say beside where they lead', async ({ store }) => {
    await store.apps.create('shop')
    const { version } = await store.services.create(
      { name: 'main', type: 'url', status: 'running', run: null },
      first,
    )
    const said = {
      alias: 'db',
      service: 'main',
      version,
      processes: ['web'],
      database: 'shared',
      keyPrefix: 'a:',
    }
    const { id } = await store.releases.append('shop', (history) =>
      releaseOfLinks(history, (links) => withLink(links, said), 'link'),
    )
    assert.deepEqual((await store.releases.get('shop', id))?.links, [said])
    assert.deepEqual((await store.services.links())[0]?.processes, ['web'])
    const bare = await link(store, 'shop', 'main', 'db')
    assert.deepEqual(bare.links, [{ alias: 'db', service: 'main', version }])
  })

  scenario('a release keeps its links, and the version that each was made with', async ({ store }) => {
    const { version } = await store.services.create(
      { name: 'main', type: 'url', status: 'running', run: null },
      first,
    )
    await store.apps.create('shop')
    await store.apps.create('blog')
    const linked = await link(store, 'shop', 'main', 'db')
    assert.deepEqual(linked.links, [{ alias: 'db', service: 'main', version }])
    await promote(store, 'shop', linked.id)
    const [changed, ...others] = await change(store)
    assert.deepEqual(others, [], 'blog has no link')
    assert.equal((await store.services.get('main'))?.version, changed?.links[0]?.version)
    assert.notEqual(changed?.links[0]?.version, version)
    assert.deepEqual((await store.releases.get('shop', linked.id))?.links, linked.links)
    assert.deepEqual(
      (await store.services.version('main', version))?.address,
      first,
      'what is live can be planned',
    )
    const seen = (await store.services.links()).map(({ isLive, isNewest, ...each }) => [
      each.version,
      isLive,
      isNewest,
    ])
    assert.deepEqual(
      new Set(seen.map((each) => JSON.stringify(each))),
      new Set([
        JSON.stringify([version, true, false]),
        JSON.stringify([changed?.links[0]?.version, false, true]),
      ]),
    )
  })

  scenario('a version that nobody names any more is forgotten, the newest is not', async ({ store }) => {
    const { version } = await store.services.create(
      { name: 'main', type: 'url', status: 'running', run: null },
      first,
    )
    await store.apps.create('shop')
    await link(store, 'shop', 'main')
    await change(store)
    assert.ok(await store.services.version('main', version))
    await store.apps.remove('shop')
    assert.equal(await store.services.version('main', version), null)
    const now = (await store.services.get('main'))!.version
    assert.deepEqual((await store.services.version('main', now))?.address, second)
    await change(store)
    assert.equal(await store.services.version('main', now), null)
  })

  scenario('a service goes when nothing that is live, newest or under way links it', async ({ store }) => {
    await store.services.create({ name: 'main', type: 'url', status: 'running', run: null }, first)
    await store.apps.create('shop')
    const linked = await link(store, 'shop', 'main', 'db')
    await assert.rejects(store.services.remove('main'), fails('conflict'))
    const without = await unlink(store, 'shop')
    const { id } = await store.operations.begin('shop', 'promote', 'alice', { release: linked.id })
    await assert.rejects(store.services.remove('main'), fails('conflict'), 'a promote is under way')
    await store.operations.complete(id, { liveRelease: linked.id })
    await assert.rejects(store.services.remove('main'), fails('conflict'), 'it is live')
    await promote(store, 'shop', without.id)
    await store.services.remove('main')
    await assert.rejects(store.services.remove('main'), fails('not-found'))
    assert.deepEqual((await store.releases.get('shop', linked.id))?.links, linked.links, 'history stays')
    assert.equal(await store.services.version('main', linked.links[0]!.version), null)
    await assert.rejects(link(store, 'shop', 'main'), fails('not-found'))
  })

  scenario('of links made at once none is lost', async ({ store }) => {
    await store.apps.create('shop')
    const names = Array.from({ length: 8 }, (_, at) => `service-${at}`)
    for (const name of names)
      await store.services.create({ name, type: 'url', status: 'running', run: null }, first)
    await Promise.all(names.map((name) => link(store, 'shop', name)))
    const newest = await store.releases.newest('shop')
    assert.deepEqual(
      newest?.links.map(({ alias }) => alias),
      names,
    )
  })
}
