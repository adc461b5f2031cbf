import assert from 'node:assert/strict'
import type { LogLine, LogQuery } from '../../src/domain/engine.ts'
import { isSameOwner } from '../../src/domain/owner.ts'
import { until } from '../../src/lib/poll.ts'
import { print, sleep } from '../support/behaviour.ts'
import type { Scenario } from './engine.ts'

type World = Parameters<Parameters<Scenario>[1]>[0]

/** What every engine does with lines that are asked for by cursor, pattern, release and type. */
export function logQueryScenarios(scenario: Scenario): void {
  scenario('behind each line come exactly the lines that follow it', async (world) => {
    const texts = ['one', 'two', 'three', 'four', 'five', 'six']
    await world.deploy([world.type('web', [...texts.map((text) => print(text)), sleep])])
    await world.sees('six')
    const lines = await world.lines({})
    assert.deepEqual(textsOf(lines), texts)
    for (const [index, { cursor }] of lines.entries()) {
      assert.deepEqual(textsOf(await world.lines({ after: cursor })), texts.slice(index + 1))
    }
  })

  scenario('who follows again behind a line gets what came meanwhile, once', async (world) => {
    await deployBoth(world)
    const first = await world.lines({})
    const cursor = first.at(-1)!.cursor
    await world.deploy([world.type('web', [print('web two'), sleep]), bothOf(world)[1]!], {
      release: 'RBBBBBBBBBB',
    })
    await world.sees('web two')
    const end = new AbortController()
    const seen: string[] = []
    const query: LogQuery = { owner: world.owner, follow: true, after: cursor }
    for await (const { text } of world.harness.engine.logs(query, world.control(end.signal))) {
      seen.push(text)
      if (text === 'web two') end.abort()
    }
    assert.deepEqual(seen, ['web two'])
  })

  scenario('lines are picked by text, by expression, by release and by several types', async (world) => {
    await deployBoth(world)
    const [web, worker] = bothOf(world)
    await world.deploy([{ ...web!, command: world.command([print('web two'), sleep]) }, worker!], {
      release: 'RBBBBBBBBBB',
    })
    await world.sees('web two')
    const picked = async (query: Partial<LogQuery>) => textsOf(await world.lines(query)).toSorted()
    assert.deepEqual(await picked({ grep: 'one' }), ['web one', 'worker one'])
    assert.deepEqual(await picked({ grep: 'o.e' }), [])
    assert.deepEqual(await picked({ grep: '/^WEB (one|two)$/i' }), ['web one', 'web two'])
    assert.deepEqual(await picked({ release: 'RBBBBBBBBBB' }), ['web two'])
    assert.deepEqual(await picked({ types: ['web', 'worker'] }), ['web one', 'web two', 'worker one'])
    assert.deepEqual(await picked({ types: ['worker'], grep: 'web' }), [])
    assert.deepEqual(await picked({ grep: 'web', tail: 1 }), ['web two'])
  })

  scenario('lines of all apps name theirs', async (world) => {
    await world.deploy([world.type('web', [print('hello'), sleep])])
    await world.sees('hello')
    const all = await Array.fromAsync(world.harness.engine.logs({ follow: false }, world.control()))
    const own = all.filter(({ owner }) => isSameOwner(owner, world.owner))
    assert.deepEqual(textsOf(own), ['hello'])
  })

  scenario('a pattern or a cursor that is none is refused', async (world) => {
    await world.deploy([world.type('web', [print('hello'), sleep])])
    await assert.rejects(world.lines({ grep: '/(/' }), { code: 'invalid' })
    await assert.rejects(world.lines({ after: 'no cursor' }), { code: 'invalid' })
  })
}

function bothOf(world: World) {
  return [world.type('web', [print('web one'), sleep]), world.type('worker', [print('worker one'), sleep])]
}

async function deployBoth(world: World): Promise<void> {
  await world.deploy(bothOf(world))
  await until(async () => (await world.lines({})).length === 2, {
    deadlineMs: world.patient(60_000),
    what: 'two lines',
  })
}

function textsOf(lines: LogLine[]): string[] {
  return lines.map(({ text }) => text)
}
