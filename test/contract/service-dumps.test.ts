import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Terminal } from '../../src/domain/terminal.ts'
import { imageAddress } from '../../src/domain/service-plan.ts'
import { asBefore, fails, startDataRack } from '../support/data-rack.ts'
import { serviceRun } from '../support/service-run.ts'

const all = { database: null, force: false }

/** A person who brings what is given, and what that person reads. */
function person(input: AsyncIterable<Uint8Array> | null = null) {
  const said = { stdout: '', stderr: '' }
  const terminal: Terminal = {
    tty: false,
    rows: 24,
    columns: 80,
    input,
    output: async (stream, chunk) => void (said[stream] += Buffer.from(chunk).toString()),
    onResize: () => undefined,
  }
  return { terminal, said }
}

test('a redis gives an RDB, and takes one as a restore does: into a new volume, with nothing kept beside', async () => {
  await using rack = await startDataRack()
  const { control } = rack
  const { terminal, said } = person()
  rack.inside(async () => 'REDIS0010')
  assert.equal(await rack.operations().exportService('main', { database: null }, terminal, control), 0)
  assert.equal(said.stdout, 'REDIS0010')
  assert.equal(said.stderr, 'exporting main, as an RDB\n')

  let restored = ''
  rack.inside(async (command, input) => {
    if (command.includes('/data/restored\n')) restored = input
    return command.includes('INFO keyspace') ? '3' : ''
  })
  const importing = (force: boolean, one = person(streamOf('REDIS0011'))) =>
    rack.operations().importService('main', { ...all, force }, one.terminal, control)
  await assert.rejects(importing(false), { code: 'conflict', message: 'main is not empty' })
  const { terminal: typed, said: told } = person(streamOf('REDIS0011'))
  await rack.operations().importService('main', { ...all, force: true }, typed, control)
  assert.equal(restored, 'REDIS0011')
  assert.match(
    told.stderr,
    /^importing an RDB into main\nreading K[A-Z]{10} before[\s\S]*main is stopped now/,
  )
  assert.deepEqual(await rack.state(), { volumes: ['data.2'], kinds: ['process'], generation: 2 })
  assert.deepEqual(await rack.operations().listBackups(null), [])

  // An empty one that an app has is stopped for it all the same.
  rack.inside(async () => '0')
  await rack.operations().createLink('shop', { service: 'main' }, control)
  await assert.rejects(importing(false), { code: 'conflict', message: /in use by shop/ })
})

test('a client that goes in the middle, or an RDB that no server reads, leaves the service as it is', async () => {
  await using rack = await startDataRack()
  rack.inside(async () => '0')
  const leaving = new AbortController()
  const cut = person(
    (async function* () {
      yield Buffer.from('REDIS')
      // As its socket does: the input ends with the call.
      leaving.abort(new Error('the client is gone'))
    })(),
  )
  const control = { ...rack.control, signal: leaving.signal }
  await assert.rejects(rack.operations().importService('main', all, cut.terminal, control), /is gone/)
  rack.inside(async (command) => (command.includes('/data/restored\n') ? null : '0'))
  const bad = rack.operations().importService('main', all, person(streamOf('?')).terminal, rack.control)
  await assert.rejects(bad, fails('service-failed'))
  assert.deepEqual(await rack.state(), asBefore)
  assert.deepEqual(await rack.operations().listBackups(null), [])
})

test('who leaves while a new volume is filled ends that too', async () => {
  await using rack = await startDataRack()
  const leaving = new AbortController()
  rack.inside(async (command, _input, signal) => {
    if (!command.includes('/data/restored\n')) return '0'
    leaving.abort(new Error('the client is gone'))
    const { promise, reject } = Promise.withResolvers<string>()
    const end = () => reject(signal.reason as Error)
    if (signal.aborted) end()
    else signal.addEventListener('abort', end, { once: true })
    return await promise
  })
  const control = { ...rack.control, signal: leaving.signal }
  const { terminal } = person(streamOf('REDIS0011'))
  await assert.rejects(rack.operations().importService('main', all, terminal, control), fails('cancelled'))
  assert.deepEqual(await rack.state(), asBefore)
})

test('of several databases one is named, and what fails says what its program said, without a password', async () => {
  await using rack = await startDataRack()
  const { control, store } = rack
  const variables = { POSTGRES_PASSWORD: 'hush-hush' }
  const run = serviceRun({ image: 'postgres:15', scheme: 'postgres', port: 5432, environment: variables })
  const service = { name: 'books', type: 'postgres', status: 'running', run } as const
  await store.services.create(service, imageAddress('books', run))
  await rack.restart()
  let names = ''
  const commands: string[] = []
  rack.inside(async (command, input) => {
    if (input.includes('FROM pg_database WHERE datallowconn')) return names
    if (input.includes('pg_depend')) return '0'
    commands.push(command)
    return command.includes('pg_restore') ? null : 'PGDMP'
  })
  const give = (database: string | null) =>
    rack.operations().exportService('books', { database }, person().terminal, control)
  names = 'postgres\n'
  await give(null)
  assert.match(commands.pop()!, /pg_dump .*dbname='postgres'/)
  names = 'postgres\nshop_db\n'
  await give(null)
  assert.match(commands.pop()!, /pg_dump .*dbname='shop_db'/)
  rack.inside(async (command, input) => {
    if (input.includes('FROM pg_database WHERE datallowconn')) return names
    if (input.includes('pg_depend')) return '0'
    // Nobody takes the server away from who fills it.
    if (command.includes('pg_restore'))
      await assert.rejects(rack.operations().restartService('books', control), fails('busy'))
    return ''
  })
  await rack.operations().importService('books', all, person(streamOf('x')).terminal, control)
  names = 'desk_db\npostgres\nshop_db\n'
  await assert.rejects(give(null), { code: 'usage', hint: /--database desk_db/ })
  await assert.rejects(give('nobody'), { code: 'not-found', hint: /It has desk_db, postgres, shop_db\./ })

  rack.inside(async (command, input) => {
    if (input.includes('FROM pg_database WHERE datallowconn')) return names
    if (input.includes('pg_depend')) return '0'
    throw new Error(command)
  })
  const bring = () =>
    rack
      .operations()
      .importService('books', { database: 'shop_db', force: false }, person(streamOf('x')).terminal, control)
  await assert.rejects(bring(), /pg_restore[\s\S]*--single-transaction/)
  rack.inside(async (_command, input) => {
    if (input.includes('FROM pg_database WHERE datallowconn')) return names
    return input.includes('pg_depend') ? '0' : null
  })
  await assert.rejects(bring(), { code: 'service-failed', hint: 'Nothing of it is in shop_db of books.' })
})

test('what has no dump of its own says why', async () => {
  await using rack = await startDataRack()
  const { control, store } = rack
  for (const [type, port] of [['memcached', 11_211] as const, ['image', 9000] as const]) {
    const run = serviceRun({ port })
    await store.services.create({ name: type, type, status: 'running', run }, imageAddress(type, run))
  }
  const url = 'postgres://app:secret@db.example.com/shop'
  await rack.operations().createService({ name: 'far', type: 'url', url }, control)
  const why = { memcached: /keeps nothing/, image: /its own tools/, far: /somebody else runs it/ }
  for (const [name, message] of Object.entries(why)) {
    const one = person(streamOf(''))
    const out = rack.operations().exportService(name, { database: null }, one.terminal, control)
    await assert.rejects(out, { code: 'unsupported', message })
    const into = rack.operations().importService(name, all, one.terminal, control)
    await assert.rejects(into, { code: 'unsupported', message })
  }
  const named = rack.operations().exportService('main', { database: 'shop' }, person().terminal, control)
  await assert.rejects(named, { code: 'usage', message: /redis has no databases/ })
  await assert.rejects(
    rack.operations().exportService('nobody', { database: null }, person().terminal, control),
    fails('not-found'),
  )
})

async function* streamOf(text: string) {
  yield Buffer.from(text)
}
