import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { ensureImages } from '../../scripts/steps/images.ts'
import { dumpService, namesIn, restoreService } from '../../src/operations/services/backup/dump-service.ts'
import type { Login, NativeDump } from '../../src/services/service-type.ts'
import { controlFor, openDockerRack } from '../support/docker-rack.ts'
import type { Client } from '../support/service-clients/client.ts'
import { serviceClients } from '../support/service-clients/clients.ts'
import { startService, type ServiceWorld } from '../support/service-world.ts'

await ensureImages(serviceClients.map(({ type }) => type.image(type.versions.usual)))

const rack = await openDockerRack()
after(() => rack.close())

for (const client of serviceClients) {
  const { type } = client
  const [logins, data] = [type.logins!, type.data!]
  test(`a backup of a ${type.name}, made while it is written to, has all that was acknowledged before`, async () => {
    await using service = await startService(rack, type)
    const shop: Login = { data: 'shop_db', username: 'shop_db_v1', password: 'one', keyPrefix: null }
    const desk = { ...shop, data: 'desk_db', username: 'desk_db_v1' }
    const gone = { ...shop, data: 'gone_db', username: 'gone_db_v1' }
    for (const login of [shop, desk, gone]) await service.run(logins.create(login))
    await client.write(service, desk, 'a ticket')
    const load = startLoad(client, service, shop)
    await load.reaches(3)

    const before = load.acknowledged()
    const archive = await Array.fromAsync(dumpOf(service))
    const atMost = await load.stop()
    await using fresh = await startService(rack, type)
    await restoreService({ ...fresh.place, data }, streamOf(archive), controlFor(60_000))
    if (data.restartsAfterRestore) await fresh.restart()
    // As links that are no more lose theirs.
    const users = async () => (await fresh.run(logins.listUsers)).split('\n').map((line) => line.split('\t'))
    const found = (await users()).find(([name]) => name === gone.username)
    assert.equal(found === undefined, data.restartsAfterRestore, 'users are in it but for those of redis')
    if (found) await fresh.run(logins.revoke({ ...gone, data: found[1] ?? '' }))
    assert.ok(!(await users()).some(([name]) => name === gone.username))
    await assert.rejects(fresh.run(logins.prove(gone)))
    // As links that live on are given their logins again.
    for (const login of [shop, desk]) await fresh.run(logins.create(login))

    if (type.name === 'rabbitmq') {
      assert.deepEqual(await client.read(fresh, shop), [], 'the queue is there, without messages')
      // An import takes it for full.
      assert.equal(Number(await fresh.run((type.native as NativeDump).contents(''))), 3)
      return
    }
    const values = (await client.read(fresh, shop)).filter((value) => value !== 'a ticket')
    assert.ok(values.length >= before && values.length <= atMost, `${before} ≤ ${values.length} ≤ ${atMost}`)
    assert.deepEqual(
      values,
      Array.from(values, (_, at) => `value ${at + 1}`),
    )
    assert.ok((await client.read(fresh, desk)).includes('a ticket'))

    // Once nobody writes, the counts are the same.
    await using again = await startService(rack, type)
    const quiet = await Array.fromAsync(dumpOf(fresh))
    await restoreService({ ...again.place, data }, streamOf(quiet), controlFor(60_000))
    if (data.restartsAfterRestore) await again.restart()
    assert.equal(await countsIn(again), await countsIn(fresh))
    assert.match(await countsIn(again), /\d/)
  })
}

function dumpOf(service: ServiceWorld): AsyncIterable<Uint8Array> {
  const { type, version, owner, place } = service
  const created = new Date().toISOString()
  const about = { format: 1, service: owner.name, type: type.name, version, created } as const
  return dumpService({ ...place, data: type.data! }, { about }, controlFor(60_000))
}

async function countsIn(service: ServiceWorld): Promise<string> {
  const data = service.type.data!
  const names = await namesIn({ ...service.place, data }, controlFor(60_000))
  return await service.run(data.counts!(names))
}

async function* streamOf(chunks: Uint8Array[]) {
  yield* chunks
}

/** Writes one value after the other, until it is stopped. */
function startLoad(client: Client, service: ServiceWorld, login: Login) {
  const stopping = new AbortController()
  let acknowledged = 0
  const waiting: { count: number; resolve: () => void }[] = []
  const writing = (async () => {
    while (!stopping.signal.aborted) {
      await client.write(service, login, `value ${acknowledged + 1}`)
      acknowledged++
      for (const { count, resolve } of waiting) if (acknowledged >= count) resolve()
    }
  })()
  return {
    acknowledged: () => acknowledged,
    reaches: (count: number) =>
      Promise.race([writing, new Promise<void>((resolve) => void waiting.push({ count, resolve }))]),
    async stop() {
      stopping.abort()
      await writing
      return acknowledged
    },
  }
}
