import assert from 'node:assert/strict'
import { RackError, type ErrorCode } from '../../src/domain/error.ts'
import { parseServiceUrl } from '../../src/domain/service-url.ts'
import type { Store } from '../../src/domain/store.ts'

type Scenario = (title: string, run: (world: { store: Store }) => Promise<void>) => unknown

const fails = (code: ErrorCode, message?: RegExp) => (error: unknown) =>
  error instanceof RackError && error.code === code && (message?.test(error.message) ?? true)

const address = parseServiceUrl('postgres://app:secret-4711@main/shop')

async function makeService(store: Store): Promise<string> {
  const row = { name: 'main', type: 'postgres', status: 'running', run: null } as const
  return (await store.services.create(row, address)).version
}

async function begin(store: Store, consumer: string, { derived = (): unknown => null } = {}) {
  const service = 'main'
  const version = (await store.services.get(service))?.version ?? 'VAAAAAAAAAA'
  const rest = { serial: '4f', allow: ['10.0.0.0/8'], address: 'here:7443', expires: null }
  return await store.shares.begin(async () => {
    derived()
    return { service, consumer, version, ...rest }
  })
}

/** What other racks have; part of the store's contract. */
export function shareScenarios(scenario: Scenario): void {
  scenario('a consumer has a service once, and again when it was taken back', async ({ store }) => {
    const version = await makeService(store)
    const made = await begin(store, 'office')
    let derived = 0
    await assert.rejects(begin(store, 'office', { derived: () => derived++ }), fails('exists'))
    assert.equal(derived, 1, 'what is refused is not made again')
    await begin(store, 'branch')
    await store.shares.open(made.id)
    await store.shares.close(made.id)
    await store.shares.revoke(made.id)
    await store.shares.open(made.id)
    const again = await begin(store, 'office')
    const listed = await store.shares.list()
    assert.deepEqual(
      listed.map(({ consumer, status, version: own, allow }) => [consumer, status, own, allow.join()]),
      [
        ['office', 'closing', version, '10.0.0.0/8'],
        ['branch', 'opening', version, '10.0.0.0/8'],
        ['office', 'opening', version, '10.0.0.0/8'],
      ],
    )
    const revoked = listed[0]?.revoked
    assert.ok(revoked)
    await store.shares.revoke(made.id)
    await store.shares.close(made.id)
    await store.shares.revoke(made.id)
    const [closed] = await store.shares.list()
    assert.deepEqual([closed?.status, closed?.revoked], ['revoked', revoked], 'the first time counts')
    assert.notEqual(again.id, made.id)
  })

  scenario('what is shared stays; of what was deleted the certificate is remembered', async ({ store }) => {
    await makeService(store)
    const { id } = await begin(store, 'office')
    await assert.rejects(store.services.remove('main'), fails('conflict', /shared with office/))
    await assert.rejects(store.services.retire('main', 'retiring'), fails('conflict'))
    await store.shares.revoke(id)
    await store.services.remove('main')
    assert.deepEqual(
      (await store.shares.list()).map((share) => share.serial),
      ['4f'],
    )
    await assert.rejects(begin(store, 'office'), fails('not-found'))
  })

  scenario('what goes is shared with nobody more', async ({ store }) => {
    await makeService(store)
    await store.services.retire('main', 'deleting')
    await assert.rejects(begin(store, 'office'), fails('conflict'))
  })

  scenario('the keys by which others come in are kept as they are', async ({ store }) => {
    assert.equal(await store.shares.keys(), null)
    const signed = { certificate: 'certificate', key: 'secret-4711' }
    const keys = { authority: signed, entrance: signed, list: { serials: [], text: '' } }
    await store.shares.keepKeys(keys)
    const more = { ...keys, list: { serials: ['4f'], text: 'list' } }
    await store.shares.keepKeys(more)
    assert.deepEqual(await store.shares.keys(), more)
  })

  scenario('how another rack is come in to is kept with the address', async ({ store }) => {
    const end = { id: 'SAAAAAAAAAA', host: 'there', port: 7443, authority: 'a', certificate: 'secret-4711' }
    const row = { name: 'main', type: 'shared', status: 'running', run: null } as const
    const { version } = await store.services.create(row, { ...address, end })
    assert.deepEqual((await store.services.version('main', version))?.address, { ...address, end })
  })
}
