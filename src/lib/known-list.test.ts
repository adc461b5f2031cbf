import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openKnownList } from './known-list.ts'

const turnOfTheLoop = () => new Promise((resolve) => void setImmediate(resolve))

test('what was added last is known, however late an earlier list arrives', async () => {
  const rows: string[] = []
  const arrivals: (() => void)[] = []
  const read = async () => {
    const found = [...rows]
    if (found.length > 0) await new Promise<void>((resolve) => void arrivals.push(resolve))
    return found
  }
  const list = await openKnownList(read)
  const add = (row: string) => list.change(async () => rows.push(row))
  const first = add('first')
  await turnOfTheLoop()
  const second = add('second')
  await turnOfTheLoop()
  for (; arrivals.length > 0; await turnOfTheLoop()) arrivals.pop()!()
  assert.deepEqual(await Promise.all([first, second]), [1, 2])
  assert.deepEqual(list.current(), ['first', 'second'])
})

test('a change that fails is no hindrance to the next', async () => {
  const list = await openKnownList(async () => [1])
  await assert.rejects(
    list.change(() => Promise.reject(new Error('full'))),
    /full/,
  )
  assert.equal(await list.change(async () => 'done'), 'done')
})
