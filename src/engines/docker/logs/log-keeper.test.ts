import assert from 'node:assert/strict'
import { appendFile, mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { LogLine, LogQuery } from '../../../domain/engine.ts'
import { appOwner } from '../../../domain/owner.ts'
import { RackError } from '../../../domain/error.ts'
import { until } from '../../../lib/poll.ts'
import { startLogDocker, timeOf, type LogDocker } from '../../../../test/support/log-docker.ts'
import { createLogKeeper, type LogKeeper, type LogKeeperOptions } from './log-keeper.ts'

const shop = appOwner('shop')
const web = { owner: shop, type: 'web', process: 'PWEB', release: 'RONE', container: 'c-web' }
const worker = { owner: shop, type: 'worker', process: 'PWORKER', release: 'RTWO', container: 'c-worker' }

async function openWorld(context: TestContext, options: Partial<LogKeeperOptions> = {}) {
  const docker = await startLogDocker()
  const directory = await mkdtemp(join(tmpdir(), 'rack-log-'))
  const troubles: unknown[] = []
  const keepers: LogKeeper[] = []
  const open = () => {
    const keeper = createLogKeeper({
      docker: docker.client,
      directory,
      budget: () => ({ bytes: 64 * 2 ** 20, ageMs: null }),
      onTrouble: (error) => troubles.push(error),
      ...options,
    })
    keepers.push(keeper)
    return keeper
  }
  context.after(async () => {
    for (const keeper of keepers) await keeper.close()
    await docker[Symbol.asyncDispose]()
    await rm(directory, { recursive: true, force: true })
  })
  return { docker, directory, troubles, open, keeper: open() }
}

const control = () => ({ signal: AbortSignal.timeout(60_000) })

async function linesOf(keeper: LogKeeper, query: Partial<LogQuery> = {}): Promise<LogLine[]> {
  return await Array.fromAsync(keeper.read({ owner: shop, follow: false, ...query }, control()))
}

async function textsOf(keeper: LogKeeper, query: Partial<LogQuery> = {}): Promise<string[]> {
  return (await linesOf(keeper, query)).map(({ text }) => text)
}

function print(docker: LogDocker, container: string, from: number, to: number, pad = ''): void {
  const lines = Array.from({ length: to - from }, (_, index) => from + index)
  docker.print(container, ...lines.map((number) => ({ time: timeOf(number), text: `line ${number}${pad}` })))
}

async function keepsUntil(keeper: LogKeeper, text: string): Promise<void> {
  const isKept = async () => (await textsOf(keeper, { tail: 1 }))[0] === text
  await until(isKept, { deadlineMs: 30_000, what: `the line ${text}` })
}

test('fault 3: a process that prints 200,000 lines and is then replaced keeps all of them', async (context) => {
  const { docker, keeper, troubles } = await openWorld(context)
  for (let from = 0; from < 200_000; from += 10_000) print(docker, 'c-web', from, from + 10_000)
  keeper.follow(web)
  docker.end('c-web')
  await keeper.finish(web, control())
  let expected = 0
  for await (const { text } of keeper.read({ owner: shop, follow: false }, control())) {
    assert.equal(text, `line ${expected++}`)
  }
  assert.equal(expected, 200_000)
  assert.deepEqual(troubles, [])
})

test('fault 3: an end that cannot be read in time is told, in the log and as a trouble', async (context) => {
  const endBounds = { silenceMs: 100, longestMs: 10_000 }
  const { docker, keeper, troubles } = await openWorld(context, { endBounds })
  print(docker, 'c-web', 0, 3)
  keeper.follow(web)
  await keepsUntil(keeper, 'line 2')
  docker.stick('c-web')
  print(docker, 'c-web', 3, 6)
  docker.end('c-web')
  await keeper.finish(web, control())
  const lines = await linesOf(keeper)
  assert.deepEqual(
    lines.map(({ stream, process: processId }) => `${stream} ${processId}`),
    ['stdout PWEB', 'stdout PWEB', 'stdout PWEB', 'rack PWEB'],
  )
  assert.match(lines[3]!.text, /the end of the log of this process is missing/)
  assert.ok(troubles.some((error) => error instanceof RackError && error.code === 'timeout'))
})

test('an end that takes long is waited for as long as some of it comes', async (context) => {
  const endBounds = { silenceMs: 400, longestMs: 10_000 }
  const { docker, keeper, troubles } = await openWorld(context, { endBounds })
  keeper.follow(web)
  const finished = keeper.finish(web, control())
  const began = performance.now()
  let printed = 0
  while (performance.now() - began < 3 * endBounds.silenceMs) {
    print(docker, 'c-web', printed, ++printed)
    await keepsUntil(keeper, `line ${printed - 1}`)
  }
  docker.end('c-web')
  await finished
  assert.deepEqual(
    await textsOf(keeper),
    Array.from({ length: printed }, (_, number) => `line ${number}`),
  )
  assert.deepEqual(troubles, [])
})

test('the end of a log is found behind what is kept, few lines or many, also in the middle of an instant', async (context) => {
  for (const count of [1, 3, 999, 1500]) {
    const { docker, keeper, open } = await openWorld(context)
    const say = (from: number, to: number) => {
      const numbers = Array.from({ length: to - from }, (_, index) => from + index)
      docker.print(
        'c-web',
        ...numbers.map((number) => ({ time: timeOf(1 + (number >> 1)), text: `line ${number}` })),
      )
    }
    say(0, 1001)
    keeper.follow(web)
    await keepsUntil(keeper, 'line 1000')
    await keeper.close()
    say(1001, 1001 + count)
    docker.end('c-web')
    const later = open()
    await later.finish(web, control())
    // Whoever tries again after a failed removal copies nothing twice.
    await later.finish(web, control())
    const expected = Array.from({ length: 1001 + count }, (_, number) => `line ${number}`)
    assert.deepEqual(await textsOf(later), expected)
  }
})

test('fault 4: an app is deleted while its log is being copied', async (context) => {
  const { docker, keeper, directory } = await openWorld(context)
  for (let round = 0; round < 5; round++) {
    const first = round * 5000
    print(docker, 'c-web', first, first + 1)
    keeper.follow(web)
    await keepsUntil(keeper, `line ${first}`)
    const grows = keeper.read({ owner: shop, follow: true }, control())[Symbol.asyncIterator]()
    await grows.next()
    print(docker, 'c-web', first + 1, first + 5000)
    // The copying is in the middle of it.
    for (let number = 0; number < 500; number++) await grows.next()
    await keeper.remove(shop)
    assert.deepEqual(await keeper.owners(), [])
    await grows.return?.(undefined)
    docker.drop('c-web', first + 5000)
  }
  assert.deepEqual(
    (await readdir(directory)).filter((name) => !name.startsWith('.')),
    [],
  )
})

test('fault 5: a follower that reads slowly misses nothing', async (context) => {
  const { docker, keeper } = await openWorld(context)
  print(docker, 'c-web', 0, 1)
  keeper.follow(web)
  await keepsUntil(keeper, 'line 0')
  const reading = keeper.read({ owner: shop, follow: true }, control())[Symbol.asyncIterator]()
  assert.equal((await reading.next()).value?.text, 'line 0')
  // More than any queue of lines would hold, while nobody reads.
  for (let from = 1; from < 40_001; from += 10_000) print(docker, 'c-web', from, from + 10_000)
  await keepsUntil(keeper, 'line 40000')
  for (let number = 1; number <= 40_000; number++) {
    assert.equal((await reading.next()).value?.text, `line ${number}`)
  }
  await reading.return?.(undefined)
})

test('fault 5: read on behind any cursor, no line is lost or repeated, those of one instant included', async (context) => {
  const { docker, keeper, open } = await openWorld(context)
  const time = timeOf(5)
  docker.print('c-web', ...['a', 'b', 'c'].map((text) => ({ time, text })))
  docker.print('c-worker', ...['d', 'e'].map((text) => ({ time, text })), { time: timeOf(1), text: 'late' })
  for (const source of [web, worker]) keeper.follow(source)
  await until(async () => (await textsOf(keeper)).length === 6, { deadlineMs: 10_000, what: 'six lines' })
  const all = await linesOf(keeper)
  await keeper.close()
  const later = open()
  docker.print('c-web', { time, text: 'f' })
  later.follow(web)
  await until(async () => (await textsOf(later)).length === 7, { deadlineMs: 10_000, what: 'a seventh line' })
  for (const [index, { cursor }] of all.entries()) {
    const seen = all.slice(0, index + 1).map(({ text }) => text)
    const rest = await textsOf(later, { after: cursor })
    assert.deepEqual([...seen, ...rest].sort(), ['a', 'b', 'c', 'd', 'e', 'f', 'late'], cursor)
    assert.equal(rest.at(-1), 'f')
  }
  await assert.rejects(linesOf(later, { after: 'no cursor' }), { code: 'invalid' })
})

test('fault 13: followers that never read cost bounded memory', async (context) => {
  const budget = () => ({ bytes: 4 * 2 ** 20, ageMs: null })
  const { docker, keeper } = await openWorld(context, { budget })
  print(docker, 'c-web', 0, 1)
  keeper.follow(web)
  await keepsUntil(keeper, 'line 0')
  const ending = new AbortController()
  const readings = Array.from({ length: 200 }, () =>
    keeper.read({ owner: shop, follow: true }, ending)[Symbol.asyncIterator](),
  )
  for (const reading of readings) await reading.next()
  const before = process.memoryUsage.rss()
  const pad = 'x'.repeat(32_000)
  for (let number = 1; number < 5000; number += 100) {
    print(docker, 'c-web', number, number + 100, pad)
    await keepsUntil(keeper, `line ${number + 99}${pad}`)
    docker.drop('c-web', number + 99)
  }
  const grown = (process.memoryUsage.rss() - before) / 2 ** 20
  assert.ok(grown < 100, `${Math.round(grown)} MiB more after 160 MB of log`)
  ending.abort()
})

test('fault 5: a follower that stands still until its lines are gone is told how many', async (context) => {
  const budget = () => ({ bytes: 200_000, ageMs: null })
  const { docker, keeper } = await openWorld(context, { budget })
  print(docker, 'c-web', 0, 1)
  keeper.follow(web)
  await keepsUntil(keeper, 'line 0')
  const reading = keeper.read({ owner: shop, follow: true }, control())[Symbol.asyncIterator]()
  const first = (await reading.next()).value as LogLine
  for (let number = 1; number < 20_001; number += 1000) {
    print(docker, 'c-web', number, number + 1000)
    await keepsUntil(keeper, `line ${number + 999}`)
  }
  let [next, missing] = [1, 0]
  while (next <= 20_000) {
    const { stream, text } = (await reading.next()).value as LogLine
    const count = stream === 'rack' ? Number(/^… (\d+) lines of web are left out/.exec(text)?.[1]) : 0
    if (count === 0) assert.equal(text, `line ${next++}`)
    next += count
    missing += count
  }
  assert.ok(missing > 0)
  await reading.return?.(undefined)
  // Who comes back for them, after the same time, is told too.
  const [notice] = await linesOf(keeper, { after: first.cursor })
  assert.equal(notice?.stream, 'rack')
})

test('a keeper that is opened again goes on exactly where the last one ended', async (context) => {
  const { docker, keeper, open } = await openWorld(context, {
    budget: () => ({ bytes: 400_000, ageMs: null }),
  })
  let current = keeper
  for (let round = 0; round < 6; round++) {
    current.follow(web)
    const [from, to] = [round * 500, (round + 1) * 500]
    // Two lines of each instant: a round ends between them.
    for (let number = from; number < to; number++) {
      docker.print('c-web', { time: timeOf(Math.ceil(number / 2)), text: `line ${number}` })
    }
    await keepsUntil(current, `line ${to - 1}`)
    await current.close()
    current = open()
  }
  const expected = Array.from({ length: 3000 }, (_, number) => `line ${number}`)
  assert.deepEqual(await textsOf(current), expected)
})

test('what Docker dropped before it was read is told', async (context) => {
  const { docker, keeper, open } = await openWorld(context)
  print(docker, 'c-web', 0, 3)
  keeper.follow(web)
  await keepsUntil(keeper, 'line 2')
  await keeper.close()
  print(docker, 'c-web', 3, 8)
  docker.drop('c-web', 5)
  const later = open()
  later.follow(web)
  await keepsUntil(later, 'line 7')
  const lines = await linesOf(later)
  assert.deepEqual(
    lines.map(({ stream, text }) => (stream === 'rack' ? 'told' : text)),
    ['line 0', 'line 1', 'line 2', 'told', 'line 5', 'line 6', 'line 7'],
  )
  assert.match(lines[3]!.text, new RegExp(`between ${timeOf(2)} and ${timeOf(5)}`))
})

test('lines are picked by type, process, release, time and pattern, and the newest of those', async (context) => {
  const { docker, keeper } = await openWorld(context)
  print(docker, 'c-web', 0, 50)
  print(docker, 'c-worker', 50, 100)
  for (const source of [web, worker]) keeper.follow(source)
  await until(async () => (await textsOf(keeper)).length === 100, { deadlineMs: 10_000, what: 'all lines' })
  const numbers = async (query: Partial<LogQuery>) =>
    (await textsOf(keeper, query)).map((text) => Number(text.slice(5)))
  assert.equal((await numbers({ types: ['worker'] }))[0], 50)
  assert.equal((await numbers({ types: ['web', 'worker'] })).length, 100)
  assert.deepEqual(await numbers({ types: ['none'] }), [])
  assert.equal((await numbers({ process: 'PWORKER' })).length, 50)
  assert.equal((await numbers({ release: 'RONE' })).length, 50)
  assert.deepEqual(await numbers({ since: timeOf(97) }), [97, 98, 99])
  assert.deepEqual(await numbers({ tail: 2 }), [98, 99])
  assert.deepEqual(await numbers({ tail: 0 }), [])
  assert.deepEqual(await numbers({ tail: 2, types: ['web'] }), [48, 49])
  assert.deepEqual(await numbers({ grep: 'ne 9' }), [9, 90, 91, 92, 93, 94, 95, 96, 97, 98, 99])
  assert.deepEqual(await numbers({ grep: '/NE .7$/i', tail: 2 }), [87, 97])
  assert.equal((await Array.fromAsync(keeper.read({ follow: false }, control()))).length, 100)
})

test('a pattern that would hold the rack up is refused', async (context) => {
  const { docker, keeper } = await openWorld(context)
  docker.print('c-web', { time: timeOf(1), text: `${'a'.repeat(100)}b` })
  keeper.follow(web)
  await until(async () => (await textsOf(keeper)).length === 1, { deadlineMs: 10_000, what: 'the line' })
  await assert.rejects(textsOf(keeper, { grep: '/^(a+)+$/' }), { code: 'invalid', message: /takes too long/ })
})

test('the files stay within their bound, and the newest lines are kept', async (context) => {
  const budget = () => ({ bytes: 40_000, ageMs: null })
  const { docker, keeper, directory, open } = await openWorld(context, { budget })
  keeper.follow(web)
  for (let number = 0; number < 4000; number += 500) {
    print(docker, 'c-web', number, number + 500)
    await keepsUntil(keeper, `line ${number + 499}`)
  }
  await keeper.close()
  const folder = join(directory, 'shop', 'web')
  const sizes = await Promise.all(
    (await readdir(folder)).map(async (name) => (await stat(join(folder, name))).size),
  )
  const bytes = sizes.reduce((sum, size) => sum + size, 0)
  assert.ok(bytes < 80_000, `${bytes} bytes`)
  const kept = await textsOf(open())
  assert.equal(kept.at(-1), 'line 3999')
  assert.equal(Number(kept[0]?.slice(5)) + kept.length, 4000, 'without a gap')
})

test('half a line at the end, from a crash, is cut off and copied again', async (context) => {
  const { docker, keeper, directory, open } = await openWorld(context)
  print(docker, 'c-web', 0, 2)
  keeper.follow(web)
  await keepsUntil(keeper, 'line 1')
  await keeper.close()
  const folder = join(directory, 'shop', 'web')
  const [name = ''] = await readdir(folder)
  await appendFile(join(folder, name), `#77\n${timeOf(2)}\tPWEB\tRO`)
  print(docker, 'c-web', 2, 3)
  const later = open()
  later.follow(web)
  await keepsUntil(later, 'line 2')
  assert.deepEqual(await textsOf(later), ['line 0', 'line 1', 'line 2'])
})

test('a budget of age drops what is older, and what was copied is not copied again', async (context) => {
  let ageMs: number | null = null
  let looks = 0
  const budget = () => {
    looks++
    return { bytes: 64 * 2 ** 20, ageMs }
  }
  const { docker, keeper, directory, open } = await openWorld(context, { budget, pruneEveryMs: 50 })
  print(docker, 'c-web', 0, 100)
  keeper.follow(web)
  await keepsUntil(keeper, 'line 99')
  // The lines say that they are of the beginning of the year.
  ageMs = 3_600_000
  await until(async () => (await textsOf(keeper)).length === 0, { deadlineMs: 10_000, what: 'an empty log' })
  // Looked at again and again, it stays as it is.
  const folder = join(directory, 'shop', 'web')
  const left = await readdir(folder)
  const before = looks
  await until(() => looks > before + 3, { deadlineMs: 10_000, what: 'some more looks' })
  assert.deepEqual([left.length, await readdir(folder)], [1, left])
  await keeper.close()
  const later = open()
  later.follow(web)
  const time = new Date().toISOString().replace('Z', '000000Z')
  docker.print('c-web', { time, text: 'new' })
  await keepsUntil(later, 'new')
  assert.deepEqual(await textsOf(later), ['new'])
})
