import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { tarEnd, tarHead, tarPadding } from '../../src/lib/tar-blocks.ts'
import { until } from '../../src/lib/poll.ts'
import { mirror, serve, sleep } from '../support/behaviour.ts'
import { packTar, unpackTar } from '../support/tar.ts'
import { hasCode, type Scenario } from './engine.ts'

type World = Parameters<Parameters<Scenario>[1]>[0]

const put = async (
  { harness, control }: World,
  id: string,
  path: string,
  archive: AsyncIterable<Uint8Array>,
) => await harness.engine.copy(id, path, { in: archive }, control())

async function take({ harness, control }: World, id: string, path: string) {
  const chunks: Uint8Array[] = []
  const out = async (chunk: Uint8Array) => void chunks.push(chunk)
  await harness.engine.copy(id, path, { out }, control())
  return await unpackTar(Readable.from(chunks))
}

async function oneCopy(world: World): Promise<string> {
  await world.deploy([world.type('web', [sleep])])
  const [id = ''] = await world.ids()
  return id
}

/** Files into and out of a process, and byte streams to its ports. */
export function copyScenarios(scenario: Scenario): void {
  fileScenarios(scenario)
  streamScenarios(scenario)
}

function fileScenarios(scenario: Scenario): void {
  scenario('a tar goes into a process and comes out again, with modes, times and links', async (world) => {
    const id = await oneCopy(world)
    const modified = new Date('2024-05-06T07:08:09Z')
    const note = Buffer.from('kept\n')
    const about = { modified, size: 0 }
    const archive = [
      tarHead({ ...about, name: 'notes', type: 'directory', mode: 0o750 }),
      tarHead({ ...about, name: 'notes/note.txt', type: 'file', mode: 0o640, size: note.length }),
      note,
      tarPadding(note.length),
      tarHead({ ...about, name: 'notes/link', type: 'symlink', mode: 0o777, linkname: 'note.txt' }),
      tarEnd(),
    ]
    await put(world, id, '/tmp', Readable.from(archive))
    const [first, ...rest] = await take(world, id, '/tmp/notes')
    assert.deepEqual([first?.name, first?.type, (first?.mode ?? 0) & 0o7777], ['notes/', 'directory', 0o750])
    const file = rest.find(({ type }) => type === 'file')
    const link = rest.find(({ type }) => type === 'symlink')
    assert.deepEqual(
      [file?.name, file?.content, (file?.mode ?? 0) & 0o7777],
      ['notes/note.txt', 'kept\n', 0o640],
    )
    assert.equal(file?.mtime?.getTime(), modified.getTime())
    assert.deepEqual([link?.name, link?.linkname], ['notes/link', 'note.txt'])
  })

  scenario('a file comes out under its name, what is in a directory by its own names', async (world) => {
    const id = await oneCopy(world)
    const files = [
      { name: 'box/one', content: '1' },
      { name: 'box/two', content: '2' },
    ]
    await put(world, id, '/tmp', packTar(files))
    assert.deepEqual(
      (await take(world, id, '/tmp/box/one')).map(({ name, content }) => [name, content]),
      [['one', '1']],
    )
    const names = (await take(world, id, '/tmp/box/.')).map(({ name }) => name)
    assert.deepEqual([names[0], names.slice(1).toSorted()], ['./', ['./one', './two']])
  })

  scenario('a path that is not there, or is no directory, is told', async (world) => {
    const id = await oneCopy(world)
    const archive = () => packTar([{ name: 'a', content: 'a' }])
    await put(world, id, '/tmp', archive())
    await assert.rejects(take(world, id, '/nowhere'), hasCode('not-found'))
    await assert.rejects(take(world, id, '/tmp/a/.'), hasCode('conflict'))
    await assert.rejects(put(world, id, '/nowhere', archive()), hasCode('not-found'))
    await assert.rejects(put(world, id, '/tmp/a', archive()), hasCode('conflict'))
    await assert.rejects(put(world, 'PZZZZZZZZZZ', '/tmp', archive()), hasCode('not-found'))
  })

  scenario('an archive that breaks off on its way in fails the copy', async (world) => {
    const id = await oneCopy(world)
    async function* breaking() {
      yield tarHead({ name: 'big', type: 'file', mode: 0o644, size: 1_000_000, modified: new Date(0) })
      yield randomBytes(1000)
      throw new Error('the disk is gone')
    }
    await assert.rejects(put(world, id, '/tmp', breaking()))
    async function* short() {
      yield tarHead({ name: 'big', type: 'file', mode: 0o644, size: 1_000_000, modified: new Date(0) })
      yield randomBytes(1000)
    }
    await assert.rejects(put(world, id, '/tmp', short()))
  })
}

function streamScenarios(scenario: Scenario): void {
  const port = { external: null, container: 8080, protocol: 'tcp', proxy: false, secure: false } as const
  const inside = { internalPorts: [8080], ports: [port] }
  const connect = async ({ harness, owner, control }: World, host: string, port = 8080) =>
    await harness.engine.connect({ owner, host, port }, control())

  scenario("a stream connects to a port inside the app by the type's name and by the id", async (world) => {
    await world.deploy([world.type('web', [serve(8080)], inside)])
    const [id = ''] = await world.ids()
    for (const host of ['web', id]) assert.match(await world.asks(host), /^HTTP\/1\.[01] 200 OK\r\n[^]*ok\n$/)
  })

  scenario('nothing but the processes of the app can be reached', async (world) => {
    await world.deploy([world.type('web', [serve(8080)], inside)])
    for (const host of ['169.254.169.254', '127.0.0.1', 'localhost', 'other', '']) {
      await assert.rejects(connect(world, host), hasCode('not-found'))
    }
    await assert.rejects(connect(world, 'web', 9), hasCode('unreachable'))
  })

  scenario('a stream that is ended in one direction goes on in the other', async (world) => {
    await world.deploy([world.type('web', [mirror(8080)], inside)])
    const stream = await connect(world, 'web')
    const sent = randomBytes(300_000)
    const received = Array.fromAsync(stream.output)
    for (let at = 0; at < sent.length; at += 50_000) await stream.input(sent.subarray(at, at + 50_000))
    stream.end()
    assert.ok(Buffer.concat(await received).equals(sent))
    stream.close()
  })

  scenario('what nobody reads is not taken without end', async (world) => {
    await world.deploy([world.type('web', [mirror(8080)], inside)])
    const stream = await connect(world, 'web')
    const piece = Buffer.alloc(256 * 1024)
    let taken = 0
    const filling = (async () => {
      while (taken < 1000) {
        await stream.input(piece)
        taken++
      }
    })()
    const ended = assert.rejects(filling)
    let before = -1
    const standsStill = () => {
      const isStill = taken > 0 && taken === before
      before = taken
      return isStill
    }
    await until(standsStill, {
      deadlineMs: world.patient(60_000),
      intervalMs: 500,
      what: 'the stream to take no more',
    })
    assert.ok(taken < 200, `${taken} pieces were taken of a stream that nobody reads`)
    stream.close()
    await ended
  })
}
