import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import type { Control } from '../../src/domain/control.ts'
import { RackError, type ErrorCode } from '../../src/domain/error.ts'
import type { Objects } from '../../src/domain/objects.ts'
import { until } from '../../src/lib/poll.ts'

/** A place for the blobs of one test. */
export interface ObjectsHarness extends AsyncDisposable {
  open(options?: { maxBytes?: number }): Promise<Objects>
  /** What lies in it besides whole blobs. */
  leftovers(): Promise<string[]>
}

/** States what every keeper of blobs does for those above the contract. */
export function objectsContract(name: string, create: () => Promise<ObjectsHarness>): void {
  describe(`objects contract: ${name}`, { concurrency: 2 }, () => {
    const scenario: Scenario = (title, run) =>
      test(title, { timeout: 30_000 }, async () => {
        await using harness = await create()
        await run(await harness.open(), harness)
      })
    putScenarios(scenario)
    failureScenarios(scenario)
    rangeScenarios(scenario)
    listScenarios(scenario)
    keyScenarios(scenario)
  })
}

type Scenario = (title: string, run: (objects: Objects, harness: ObjectsHarness) => Promise<void>) => unknown

function control(signal = new AbortController().signal): Control {
  return { signal, report: () => {} }
}

async function* of(...chunks: (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield Buffer.from(chunk)
}

async function read(objects: Objects, key: string): Promise<string> {
  const chunks: Uint8Array[] = []
  for await (const chunk of objects.get(key)) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

async function keysOf(objects: Objects, prefix: string): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of objects.list(prefix)) keys.push(key)
  return keys
}

const sha256 = (data: string | Uint8Array) => createHash('sha256').update(data).digest('hex')

async function refuses(promise: Promise<unknown>, code: ErrorCode): Promise<void> {
  await assert.rejects(promise, (error) => error instanceof RackError && error.code === code)
}

function putScenarios(scenario: Scenario): void {
  scenario('a blob comes back as it was put, counted and hashed', async (objects) => {
    const put = await objects.put('sources/shop/BAAA.tar', of('one ', '', 'two'), control())
    assert.deepEqual(put, { bytes: 7, sha256: sha256('one two') })
    assert.equal(await read(objects, 'sources/shop/BAAA.tar'), 'one two')
    assert.equal(await objects.size('sources/shop/BAAA.tar'), 7)
    assert.deepEqual(await objects.put('empty', of(), control()), { bytes: 0, sha256: sha256('') })
    assert.equal(await read(objects, 'empty'), '')
    assert.equal(await objects.size('empty'), 0)
  })

  scenario('a large blob passes through in pieces', async (objects) => {
    const piece = randomBytes(64 * 1024)
    const pieces = 320
    let ahead = 0
    const source = async function* () {
      for (let i = 0; i < pieces; i++) {
        ahead++
        yield piece
      }
    }
    const hash = createHash('sha256')
    for (let i = 0; i < pieces; i++) hash.update(piece)
    const put = await objects.put('large', source(), control())
    assert.deepEqual(put, { bytes: pieces * piece.length, sha256: hash.digest('hex') })
    assert.equal(ahead, pieces)
    let largest = 0
    let bytes = 0
    for await (const chunk of objects.get('large')) {
      largest = Math.max(largest, chunk.length)
      bytes += chunk.length
    }
    assert.equal(bytes, put.bytes)
    assert.ok(largest <= 1024 * 1024, `a piece of ${largest} bytes`)
  })

  scenario('a reader sees the old blob or the new one, never a part', async (objects) => {
    await objects.put('key', of('old'), control())
    const gate = Promise.withResolvers<void>()
    const slow = async function* () {
      yield Buffer.from('ne')
      await gate.promise
      yield Buffer.from('w')
    }
    const put = objects.put('key', slow(), control())
    assert.equal(await read(objects, 'key'), 'old')
    assert.deepEqual(await keysOf(objects, ''), ['key'])
    gate.resolve()
    await put
    assert.equal(await read(objects, 'key'), 'new')
  })

  scenario('blobs put at once under one key leave one of them, whole', async (objects) => {
    const texts = Array.from({ length: 8 }, (_, i) => String(i).repeat(10_000))
    await Promise.all(texts.map(async (text) => objects.put('a/b/key', of(text), control())))
    assert.ok(texts.includes(await read(objects, 'a/b/key')))
  })

  scenario('all is there when it is opened again, but what was half put', async (objects, harness) => {
    await objects.put('key', of('whole'), control())
    const half = async function* () {
      yield Buffer.from('half')
      await new Promise(() => {})
    }
    const killed = new AbortController()
    const put = objects.put('other', half(), control(killed.signal))
    await until(async () => (await harness.leftovers()).length > 0, { deadlineMs: 5000, what: 'the half' })
    const again = await harness.open()
    assert.deepEqual(await harness.leftovers(), [])
    assert.deepEqual(await keysOf(again, ''), ['key'])
    assert.equal(await read(again, 'key'), 'whole')
    killed.abort(new Error('killed'))
    await assert.rejects(put, /killed/)
  })
}

function failureScenarios(scenario: Scenario): void {
  scenario(
    'a source that fails leaves nothing, and its error comes out as it is',
    async (objects, harness) => {
      const failure = Object.assign(new Error('socket hang up'), { code: 'ECONNRESET', syscall: 'read' })
      const source = async function* () {
        yield Buffer.from('half')
        throw failure
      }
      await assert.rejects(objects.put('key', source(), control()), (error) => error === failure)
      assert.equal(await objects.size('key'), null)
      assert.deepEqual(await harness.leftovers(), [])
    },
  )

  scenario('a blob past the limit is refused, and the rest of its source is not read', async (_, harness) => {
    const objects = await harness.open({ maxBytes: 10 })
    await objects.put('fits', of('0123456789'), control())
    let isReturned = false
    const source = async function* () {
      try {
        for (;;) yield Buffer.from('012345')
      } finally {
        isReturned = true
      }
    }
    await refuses(objects.put('key', source(), control()), 'too-large')
    assert.ok(isReturned)
    assert.equal(await objects.size('key'), null)
    assert.deepEqual(await harness.leftovers(), [])
  })

  scenario('an abort ends a put even while its source is silent', async (objects, harness) => {
    const controller = new AbortController()
    const source = async function* () {
      yield Buffer.from('half')
      await new Promise(() => {})
    }
    const put = objects.put('key', source(), control(controller.signal))
    const reason = new RackError('cancelled', 'the build was cancelled')
    controller.abort(reason)
    await assert.rejects(put, (error) => error === reason)
    assert.equal(await objects.size('key'), null)
    assert.deepEqual(await harness.leftovers(), [])
  })

  scenario('what is not there is not-found at the first read, and has no size', async (objects) => {
    await refuses(read(objects, 'none'), 'not-found')
    await objects.put('a/b', of('x'), control())
    await refuses(read(objects, 'a'), 'not-found')
    await refuses(read(objects, 'a/b/c'), 'not-found')
    assert.equal(await objects.size('none'), null)
    assert.equal(await objects.size('a'), null)
    assert.equal(await objects.size('a/b/c'), null)
  })

  scenario('a reader that leaves early leaves nothing open', async (objects) => {
    await objects.put('key', of(randomBytes(1024 * 1024)), control())
    for (let i = 0; i < 20; i++) {
      for await (const chunk of objects.get('key')) {
        assert.ok(chunk.length > 0)
        break
      }
    }
    assert.equal(await objects.size('key'), 1024 * 1024)
  })
}

function rangeScenarios(scenario: Scenario): void {
  const from = async (objects: Objects, key: string, start: number) =>
    Buffer.concat(await Array.fromAsync(objects.get(key, { start }))).toString()

  scenario('a blob is read from a place on, and a place behind its end has nothing', async (objects) => {
    await objects.put('key', of('one\n', 'two\n'), control())
    assert.equal(await from(objects, 'key', 0), 'one\ntwo\n')
    assert.equal(await from(objects, 'key', 4), 'two\n')
    assert.equal(await from(objects, 'key', 8), '')
    assert.equal(await from(objects, 'key', 4711), '')
    await refuses(from(objects, 'none', 4), 'not-found')
  })

  scenario('a blob that is put again and longer is read on from where one was', async (objects) => {
    await objects.put('key', of('one\n'), control())
    const first = await read(objects, 'key')
    await objects.put('key', of('one\ntwo\n'), control())
    assert.equal(first + (await from(objects, 'key', first.length)), 'one\ntwo\n')
  })
}

function listScenarios(scenario: Scenario): void {
  scenario('keys are listed by prefix, oldest first', async (objects) => {
    for (const key of ['z/2', 'z/1', 'zz', 'a/deep/er', 'z/10']) {
      await objects.put(key, of(key), control())
      // The clock of a file system ticks in steps of some milliseconds.
      await setTimeout(20)
    }
    assert.deepEqual(await keysOf(objects, ''), ['z/2', 'z/1', 'zz', 'a/deep/er', 'z/10'])
    assert.deepEqual(await keysOf(objects, 'z/'), ['z/2', 'z/1', 'z/10'])
    assert.deepEqual(await keysOf(objects, 'z'), ['z/2', 'z/1', 'zz', 'z/10'])
    assert.deepEqual(await keysOf(objects, 'z/1'), ['z/1', 'z/10'])
    assert.deepEqual(await keysOf(objects, 'none/'), [])
    assert.deepEqual(await keysOf(objects, 'zz/'), [])
    for await (const { key, bytes, modified } of objects.list('')) {
      assert.equal(bytes, key.length)
      assert.match(modified, /^\d{4}-\d\d-\d\dT[\d:]{8}\.\d{3}Z$/)
    }
  })

  scenario('a blob is removed, again too, and its neighbours stay', async (objects) => {
    await objects.put('a/b/one', of('1'), control())
    await objects.put('a/two', of('2'), control())
    await objects.remove('a/b/one')
    await objects.remove('a/b/one')
    await objects.remove('a/b')
    await objects.remove('a')
    assert.deepEqual(await keysOf(objects, ''), ['a/two'])
    await objects.put('a/b', of('now a blob'), control())
    assert.equal(await read(objects, 'a/b'), 'now a blob')
  })

  scenario('putting beside a removal never fails', async (objects) => {
    const churn = async (name: string) => {
      for (let i = 0; i < 25; i++) {
        await objects.put(`x/y/${name}`, of(name), control())
        await objects.remove(`x/y/${name}`)
      }
    }
    await Promise.all(['a', 'b', 'c'].map(churn))
    assert.deepEqual(await keysOf(objects, ''), [])
  })
}

function keyScenarios(scenario: Scenario): void {
  const bad = [
    '',
    '/a',
    'a/',
    'a//b',
    '.',
    '..',
    '../a',
    'a/../b',
    'a/./b',
    'a b',
    'a\0b',
    'ä',
    'a\\b',
    'x'.repeat(300),
  ]

  scenario('a key that is none is refused by every method', async (objects) => {
    for (const key of bad) {
      await refuses(objects.put(key, of('x'), control()), 'invalid')
      await refuses((async () => read(objects, key))(), 'invalid')
      await refuses((async () => objects.size(key))(), 'invalid')
      await refuses((async () => objects.remove(key))(), 'invalid')
    }
    for (const prefix of ['../', '/', 'a/../', 'a b']) {
      await refuses((async () => keysOf(objects, prefix))(), 'invalid')
    }
    assert.deepEqual(await keysOf(objects, ''), [])
  })

  scenario('dots inside a word are fine', async (objects) => {
    for (const key of ['.env', 'a..b', 'a/.hidden/c.tar.gz', '...']) {
      await objects.put(key, of(key), control())
      assert.equal(await read(objects, key), key)
    }
    assert.deepEqual(await keysOf(objects, 'a/.'), ['a/.hidden/c.tar.gz'])
  })

  scenario('a blob is not at once a folder', async (objects) => {
    await objects.put('a', of('x'), control())
    await refuses(objects.put('a/b', of('x'), control()), 'conflict')
    await objects.put('d/e', of('x'), control())
    await refuses(objects.put('d', of('x'), control()), 'conflict')
  })
}
