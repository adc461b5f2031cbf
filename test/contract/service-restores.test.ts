import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RackError } from '../../src/domain/error.ts'
import { until } from '../../src/lib/poll.ts'
import { asBefore, fails, startDataRack } from '../support/data-rack.ts'

const inPlace = { inPlace: true, force: true }

test('what is put back in place is in a new volume, with the logins of today', async () => {
  await using rack = await startDataRack()
  const { control } = rack
  const { id } = await rack.operations().backupService('main', 'asked', control)
  await rack.operations().createLink('shop', { service: 'main' }, control)
  await rack.operations().rotateLink('shop', 'main', control)
  const users: string[] = []
  // Of a link that is, of one that is no more, and somebody's own.
  const listed = ['default', 'shop_main_v1', 'shop_main_v2', 'shop_main_v3', 'desk_main_v7', 'reports']
  rack.inside(async (_command, input) => {
    if (input.includes('"ACL" "USERS"')) return listed.join('\n')
    users.push(...(/"(SETUSER|DELUSER)" "[^"]+"/.exec(input)?.slice(0, 1) ?? []))
    return 'all keys'
  })
  const used = rack.operations().restoreBackup(id, { inPlace: true }, control)
  await assert.rejects(used, fails('conflict'))
  assert.deepEqual(await rack.state(), asBefore)
  const named = rack.operations().restoreBackup(id, { ...inPlace, version: '8' }, control)
  await assert.rejects(named, fails('invalid'))
  await rack.operations().restoreBackup(id, inPlace, control)
  assert.deepEqual(await rack.state(), { volumes: ['data.2'], kinds: ['process'], generation: 2 })
  const ended = () => users.filter((user) => user.includes('DELUSER'))
  assert.ok(users.includes('"SETUSER" "shop_main_v2"'))
  assert.deepEqual(ended(), ['"DELUSER" "shop_main_v3"', '"DELUSER" "desk_main_v7"'])
  await rack.operations().rotateLink('shop', 'main', control)
  const [first] = await rack.store.services.versions('main').then((all) => all.filter(({ login }) => login))
  await rack.store.services.removeVersion('main', first!.version)
  users.length = 0
  await rack.operations().restoreBackup(id, inPlace, control)
  assert.deepEqual((await rack.state()).volumes, ['data.3'])
  assert.deepEqual(ended(), ['"DELUSER" "shop_main_v1"', '"DELUSER" "desk_main_v7"'])
})

test('a server that cannot be stopped beside the service is killed', async () => {
  await using rack = await startDataRack()
  const { id } = await rack.operations().backupService('main', 'asked', rack.control)
  rack.engine.stop = async () => {
    throw new RackError('engine-failed', 'it does not stop')
  }
  await assert.rejects(rack.operations().restoreBackup(id, inPlace, rack.control), fails('engine-failed'))
  assert.deepEqual(await rack.state(), asBefore)
})

test('what cannot be put back leaves the service as it is', async () => {
  await using rack = await startDataRack()
  const { control, store } = rack
  const { id } = await rack.operations().backupService('main', 'asked', control)
  const restore = () => rack.operations().restoreBackup(id, inPlace, control)

  rack.inside(async (command) => (command.includes('restored') ? null : ''))
  await assert.rejects(restore(), fails('service-failed'))
  assert.deepEqual(await rack.state(), asBefore)

  // A byte of what is kept is another.
  const key = `backups/${id}.sealed`
  const bytes = Buffer.concat(await Array.fromAsync(rack.rack.objects.get(key)))
  bytes[bytes.length >> 1]! ^= 1
  await rack.rack.objects.put(key, streamOf(bytes), control)
  await assert.rejects(restore(), { code: 'invalid', message: /not as it was written/ })
  assert.deepEqual(await rack.state(), asBefore)

  // An older server, and one of another type.
  const run = (await store.services.run('main'))!
  await store.services.change('main', { run: { ...run, image: 'redis:6' } })
  await assert.rejects(restore(), fails('invalid'))
  await store.services.change('main', { run })
  await rack.operations().deleteService('main', { volumes: true }, control)
  await assert.rejects(restore(), fails('not-found'))
  const server = { name: 'main', type: 'image', image: 'server', port: 9000 }
  await rack.operations().createService(server, control)
  await assert.rejects(restore(), fails('conflict'))
})

test('a volume that a stopped copy still holds is dropped when it lets go', async () => {
  await using rack = await startDataRack()
  const { id } = await rack.operations().backupService('main', 'asked', rack.control)
  const remove = rack.engine.removeVolume.bind(rack.engine)
  let tries = 0
  rack.engine.removeVolume = async (...given) => {
    if (++tries < 3) throw new RackError('conflict', 'the volume "data" of main is held')
    await remove(...given)
  }
  await rack.operations().restoreBackup(id, inPlace, rack.control)
  assert.deepEqual((await rack.state()).volumes, ['data.2'])
})

test('a restore in place is ended by who wants it ended, and by a daemon that dies', async () => {
  await using rack = await startDataRack()
  const { control } = rack
  const { id } = await rack.operations().backupService('main', 'asked', control)
  let begun = Promise.withResolvers<void>()
  rack.inside(async (command, _input, signal) => {
    if (!command.includes('restored')) return ''
    begun.resolve()
    const { promise, reject } = Promise.withResolvers<string>()
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
    return await promise
  })
  const cancelled = rack.operations().restoreBackup(id, inPlace, control)
  cancelled.catch(() => undefined)
  await begun.promise
  assert.deepEqual((await rack.state()).volumes, ['data', 'data.2'])
  await assert.rejects(rack.operations().restartService('main', control), fails('busy'))
  await rack.operations().cancelService('main', control)
  await assert.rejects(cancelled, fails('cancelled'))
  assert.deepEqual(await rack.state(), asBefore)
  await assert.rejects(rack.operations().cancelService('main', control), fails('conflict'))

  begun = Promise.withResolvers()
  const dead = rack.operations().restoreBackup(id, inPlace, control)
  dead.catch(() => undefined)
  await begun.promise
  await rack.restart()
  assert.deepEqual(await rack.state(), asBefore)
  await assert.rejects(dead)
})

test('a daemon that dies when the service was switched is followed by one that goes on', async () => {
  await using rack = await startDataRack()
  const { control, store } = rack
  const { id } = await rack.operations().backupService('main', 'asked', control)
  // The last that it did was to write down that the service has other data now.
  const written = Promise.withResolvers<void>()
  const deploy = rack.engine.deploy.bind(rack.engine)
  rack.engine.deploy = async (change, own) => {
    if (change.plan.volumes[0] !== 'data.2') return await deploy(change, own)
    written.resolve()
    return await Promise.withResolvers<never>().promise
  }
  void rack.operations().restoreBackup(id, inPlace, control)
  await written.promise
  rack.engine.deploy = deploy
  await rack.restart()
  const isSo = async () => (await rack.state()).volumes.join() === 'data.2'
  await until(isSo, { deadlineMs: 20_000, what: 'the old volume to go' })
  assert.equal((await store.services.run('main'))?.generation, 2)
})

async function* streamOf(bytes: Uint8Array) {
  yield bytes
}
