import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { ensureImages } from '../../scripts/steps/images.ts'
import { RackError } from '../../src/domain/error.ts'
import type { Login, NativeDump } from '../../src/services/service-type.ts'
import { openDockerRack } from '../support/docker-rack.ts'
import { serviceClients } from '../support/service-clients/clients.ts'
import { startService, type ServiceWorld } from '../support/service-world.ts'

/** Those with databases. */
const clients = serviceClients.filter(({ type }) => ['postgres', 'mariadb'].includes(type.name))

await ensureImages(clients.map(({ type }) => type.image(type.versions.usual)))

const rack = await openDockerRack()
after(() => rack.close())

for (const client of clients) {
  const { type } = client
  const [logins, native] = [type.logins!, type.native as NativeDump]
  test(`the dump of one database of a ${type.name} is put into another, whose login reads it`, async () => {
    await using service = await startService(rack, type)
    const shop: Login = { data: 'shop_db', username: 'shop_db_v1', password: 'one', keyPrefix: null }
    const desk = { ...shop, data: 'desk_db', username: 'desk_db_v1' }
    const count = async (data: string) => Number(await service.run(native.contents(data)))
    for (const login of [shop, desk]) await service.run(logins.create(login))
    await client.write(service, shop, 'first')
    assert.equal(await count('desk_db'), 0)
    const dump = await dumpOf(service, native, 'shop_db')
    await load(service, native, { data: 'desk_db', dump })
    assert.deepEqual(await client.read(service, desk), ['first'])
    // It is the other login's own: it writes there too.
    await client.write(service, desk, 'second')
    assert.ok((await count('desk_db')) > 0)

    // What the dump has is as it was in it, once it is put over that.
    await load(service, native, { data: 'desk_db', dump, over: true })
    assert.deepEqual(await client.read(service, desk), ['first'])
    if (!native.isAtOnce) return
    const again = load(service, native, { data: 'desk_db', dump })
    await assert.rejects(again, { code: 'service-failed', message: /already exists/ })
    const cut = load(service, native, { data: 'desk_db', dump: dump.subarray(0, -20), over: true })
    await assert.rejects(cut, RackError)
    assert.deepEqual(await client.read(service, desk), ['first'])
  })
}

async function dumpOf(service: ServiceWorld, native: NativeDump, data: string): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  await service.run(native.dump(data), { output: async (chunk) => void chunks.push(Uint8Array.from(chunk)) })
  return Buffer.concat(chunks)
}

async function load(
  service: ServiceWorld,
  native: NativeDump,
  { data, dump, over = false }: { data: string; dump: Buffer; over?: boolean },
): Promise<void> {
  await service.run(native.load!(data, over), { input: streamOf(dump) })
}

async function* streamOf(bytes: Uint8Array) {
  yield bytes
}
