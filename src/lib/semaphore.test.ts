import assert from 'node:assert/strict'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { test } from 'node:test'
import { createSemaphore, mapBounded } from './semaphore.ts'

test('never more than the limit at once, and all in order of arrival', async () => {
  const semaphore = createSemaphore(2)
  const started: number[] = []
  let inside = 0
  let most = 0
  const task = (id: number) => async () => {
    started.push(id)
    most = Math.max(most, ++inside)
    await nextTurn()
    inside--
  }
  await Promise.all([1, 2, 3, 4, 5].map((id) => semaphore.run(task(id))))
  assert.equal(most, 2)
  assert.deepEqual(started, [1, 2, 3, 4, 5])
})

test('a task that throws gives its slot back', async () => {
  const semaphore = createSemaphore(1)
  await assert.rejects(
    semaphore.run(() => Promise.reject(new Error('no'))),
    /no/,
  )
  assert.equal(await semaphore.run(() => 'next'), 'next')
})

test('one who stops waiting takes no slot', async () => {
  const semaphore = createSemaphore(1)
  const held = await semaphore.acquire()
  const caller = new AbortController()
  const reason = new Error('gone')
  const left = semaphore.acquire(caller.signal)
  const next = semaphore.acquire()
  caller.abort(reason)
  await assert.rejects(left, reason)
  held[Symbol.dispose]()
  held[Symbol.dispose]()
  const second = await next
  let isThirdIn = false
  const third = semaphore.acquire().then((slot) => {
    isThirdIn = true
    return slot
  })
  await nextTurn()
  assert.equal(isThirdIn, false, 'disposing twice must not free two slots')
  second[Symbol.dispose]()
  ;(await third)[Symbol.dispose]()
})

test('a signal that aborted before is told at once', async () => {
  await assert.rejects(createSemaphore(1).acquire(AbortSignal.abort(new Error('early'))), /early/)
})

test('a limit below one is a mistake', () => {
  assert.throws(() => createSemaphore(0), RangeError)
})

test('mapBounded keeps the order and starts nothing after a failure', async () => {
  const doubled = await mapBounded([1, 2, 3], 2, async (item) => item * 2)
  assert.deepEqual(doubled, [2, 4, 6])
  const started: number[] = []
  const failing = mapBounded([1, 2, 3], 1, async (item) => {
    started.push(item)
    throw new Error(`item ${item}`)
  })
  await assert.rejects(failing, /item 1/)
  assert.deepEqual(started, [1])
})
