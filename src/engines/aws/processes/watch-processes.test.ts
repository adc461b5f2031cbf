import assert from 'node:assert/strict'
import { test } from 'node:test'
import { appOwner, ownerKey, type Owner } from '../../../domain/owner.ts'
import { until } from '../../../lib/poll.ts'
import { createSharedWatch, type Look } from './watch-processes.ts'

const key = (app: string) => ownerKey(appOwner(app))
const lookOf = (tasks: Record<string, string>, services: Record<string, string> = {}): Look => {
  const texts = (of: Record<string, string>) =>
    new Map(Object.entries(of).map(([app, text]) => [key(app), text]))
  return { tasks: texts(tasks), services: texts(services) }
}

/** Gives a look whenever it is handed one, and tells which was asked for. */
function handedLooks() {
  const asked: number[] = []
  const handed: PromiseWithResolvers<Look>[] = []
  const at = (index: number) => {
    const found = (handed[index] ??= Promise.withResolvers())
    found.promise.catch(() => undefined)
    return found
  }
  let taken = 0
  return {
    asked,
    give: (index: number, look: Look) => at(index).resolve(look),
    fail: (index: number, error: Error) => at(index).reject(error),
    take: async (number: number, _before: Look | null, { signal }: { signal: AbortSignal }) => {
      signal.throwIfAborted()
      asked.push(number)
      return await at(taken++).promise
    },
  }
}

const next = async (heard: AsyncGenerator<Owner | null>) => (await heard.next()).value as Owner | null

test('two who watch share the looks, and each hears of what has changed since they began', async () => {
  const looks = handedLooks()
  const watch = createSharedWatch(looks.take, 1)
  const { signal } = new AbortController()
  const first = watch({ signal })
  const beginning = next(first)
  looks.give(0, lookOf({ shop: 'a', blog: 'a' }))
  assert.equal(await beginning, null)
  const second = watch({ signal })
  assert.equal(await next(second), null)
  looks.give(1, lookOf({ shop: 'b', blog: 'a' }))
  assert.deepEqual([await next(first), await next(second)], [appOwner('shop'), appOwner('shop')])
  looks.give(2, lookOf({ shop: 'b' }))
  looks.give(3, lookOf({ shop: 'b' }, { shop: 'drains' }))
  assert.deepEqual([await next(first), await next(first)], [appOwner('blog'), appOwner('shop')])
  assert.deepEqual(looks.asked.slice(0, 4), [0, 1, 2, 3])
  await Promise.all([first.return(null), second.return(null)])
})

test('a look that fails is heard by all, and who watches then begins anew; when nobody watches nothing is asked', async () => {
  const looks = handedLooks()
  const watch = createSharedWatch(looks.take, 1)
  const leaving = new AbortController()
  const [first, second] = [watch(leaving), watch(leaving)]
  const hearing = [next(first), next(second)]
  looks.give(0, lookOf({}))
  assert.deepEqual(await Promise.all(hearing), [null, null])
  const failing = [next(first), next(second)].map((each) => assert.rejects(each, /away/))
  looks.fail(1, new Error('away'))
  await Promise.all(failing)
  const again = watch(leaving)
  const beginning = next(again)
  looks.give(2, lookOf({ shop: 'a' }))
  assert.equal(await beginning, null)
  const waiting = assert.rejects(next(again), /gone/)
  leaving.abort(new Error('gone'))
  await waiting
  looks.give(3, lookOf({ shop: 'b' }))
  await new Promise((resolve) => setImmediate(resolve))
  assert.ok(looks.asked.length <= 4)
  assert.equal(looks.asked[2], 0)
})

test('news that nobody has taken when a look fails is heard first, and the failure then', async () => {
  const looks = handedLooks()
  const watch = createSharedWatch(looks.take, 1)
  const { signal } = new AbortController()
  const heard = watch({ signal })
  const beginning = next(heard)
  looks.give(0, lookOf({ shop: 'a', blog: 'a' }))
  assert.equal(await beginning, null)
  looks.give(1, lookOf({ shop: 'b', blog: 'a' }))
  looks.fail(2, new Error('away'))
  const isOver = async () => (looks.asked.length >= 3 ? true : null)
  await until(isOver, { deadlineMs: 5000, intervalMs: 1, what: 'the look that fails' })
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(await next(heard), appOwner('shop'))
  await assert.rejects(next(heard), /away/)
})
