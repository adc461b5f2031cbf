import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fakeNft } from '../../test/support/fake-nft.ts'
import { createBridgeTable } from './bridge-table.ts'
import { absentTable } from './nft.ts'
import { bridgedTable } from './separation-text.ts'

const control = { signal: new AbortController().signal }
const name = 'bridge rack-demo'
const separations = [
  {
    subnet: '10.213.4.0/24',
    groups: [{ members: ['10.213.4.2'], reached: ['10.213.4.2'] }],
    enclosed: [],
  },
]

const apart = { separations, answering: [] }
const nothing = { separations: [], answering: [] }

test('where nobody is kept apart the table is not even named, unless a daemon before has left it', async (context) => {
  await using nft = await fakeNft(context)
  assert.deepEqual(await createBridgeTable(name).lines(nothing, control), [])
  await nft.answer('table bridge rack-demo {\n}\n')
  assert.deepEqual(await createBridgeTable(name).lines(nothing, control), absentTable(name))
})

test('it is made anew each time, and taken away when nobody is kept apart any more', async (context) => {
  await using _nft = await fakeNft(context)
  const table = createBridgeTable(name)
  const made = [...absentTable(name), ...bridgedTable(name, apart), '']
  assert.deepEqual(await table.lines(apart, control), made)
  assert.deepEqual(await table.lines(apart, control), made)
  assert.deepEqual(await table.lines(nothing, control), absentTable(name))
})

test('a kernel that has no such rules is not asked to keep them, and names go on', async (context) => {
  await using nft = await fakeNft(context)
  await nft.answer('', 1)
  const table = createBridgeTable(name)
  assert.equal(await table.isPossible(control), false)
  assert.deepEqual(await table.lines(apart, control), [])
  assert.equal(await table.list(control), '')
  await nft.answer('')
  assert.equal(await table.isPossible(control), true, 'a module may be loaded later')
})
