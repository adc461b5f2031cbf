import assert from 'node:assert/strict'
import { after, suite, test } from 'node:test'
import { ensureImages } from '../../scripts/steps/images.ts'
import type { Login } from '../../src/services/service-type.ts'
import { memcached } from '../../src/services/types/memcached.ts'
import { openDockerRack } from '../support/docker-rack.ts'
import { serviceClients } from '../support/service-clients/clients.ts'
import { startService } from '../support/service-world.ts'

const types = [...serviceClients.map(({ type }) => type), memcached]
await ensureImages(types.map((type) => type.image(type.versions.usual)))

const rack = await openDockerRack()
after(() => rack.close())

const odd = String.raw`a'"\\;--é@/:%?# $HOME *`

for (const client of serviceClients) {
  const { type } = client
  const logins = type.logins!
  suite(`logins of a ${type.name}`, { concurrency: false }, async () => {
    await using stack = new AsyncDisposableStack()
    const service = stack.use(await startService(rack, type))
    const kept = stack.move()
    after(() => kept.disposeAsync())

    const login = (data: string, password: string, version = 1): Login => ({
      data,
      username: `${data}_v${version}`,
      password,
      keyPrefix: client.hasPrefixes ? `${data}:` : null,
    })
    const [shop, desk] = [login('shop_db', 'one'), login('desk_db', 'two')]
    const data = async () => (await service.run(logins.listData)).split('\n').filter(Boolean)

    test('each link has data of its own, and sees nothing of others', async () => {
      await Promise.all([shop, desk].map((each) => service.run(logins.create(each))))
      await client.write(service, shop, 'a basket')
      await client.write(service, desk, 'a ticket')
      assert.deepEqual(await client.read(service, shop), ['a basket'])
      assert.deepEqual(await client.read(service, desk), ['a ticket'])
      await assert.rejects(client.read(service, desk, shop))
      await assert.rejects(client.read(service, { ...shop, password: 'wrong' }))
      assert.deepEqual(await data(), logins.hasOwnData ? ['desk_db', 'shop_db'] : [])
    })

    test('a login is proved by the same that an app would do, and refused by another password', async () => {
      await service.run(logins.prove(shop))
      await assert.rejects(service.run(logins.prove({ ...shop, password: 'wrong' })))
      assert.match(await service.run(type.connections!), /^\d+$/)
    })

    test('creating a login again gives it another password, of any characters, and leaves the data', async () => {
      await service.run(logins.create({ ...shop, password: odd }))
      assert.deepEqual(await client.read(service, { ...shop, password: odd }), ['a basket'])
      await assert.rejects(client.read(service, shop))
      await service.run(logins.create(shop))
    })

    test('after a rotation both logins work on the same data, until the old one is revoked with its sessions', async () => {
      const next = login('shop_db', odd, 2)
      await service.run(logins.create(next))
      await client.write(service, next, 'of the new')
      await client.write(service, shop, 'of the old')
      const [staying, going] = [client.stay(service, next), client.stay(service, shop)]
      await Promise.all([staying.here, going.here])
      await service.run(logins.revoke(shop))
      await assert.rejects(going.ended)
      await assert.rejects(client.read(service, shop))
      assert.deepEqual(await client.read(service, next), ['a basket', 'of the new', 'of the old'])
      assert.equal(staying.hasEnded(), false)
      await service.run(logins.revoke(next))
      await assert.rejects(staying.ended)
    })

    test('who links again finds the data; revoking and dropping may be repeated', async () => {
      const again = login('shop_db', 'three', 3)
      await service.run(logins.create(again))
      assert.deepEqual(await client.read(service, again), ['a basket', 'of the new', 'of the old'])
      for (let times = 0; times < 2; times++) {
        await service.run(logins.revoke(again))
        await service.run(logins.dropData('shop_db'))
      }
      assert.deepEqual(await data(), logins.hasOwnData ? ['desk_db'] : [])
      assert.deepEqual(await client.read(service, desk), ['a ticket'])
    })
  })
}

test('a memcached is ready when it answers with its version', async () => {
  await using service = await startService(rack, memcached)
  assert.match(await service.run(memcached.ready!), /^1\.6\.\d+$/)
})
