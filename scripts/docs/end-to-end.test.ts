import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'

const folder = join(import.meta.dirname, '../../test/e2e')

test('of each file from end to end it is told once on which racks it runs', async () => {
  const text = await readFile(join(folder, 'README.md'), 'utf8')
  const told = text.split('\n').flatMap((row) => {
    const [, names = ''] = /^\| (`[^|]*`) \|/.exec(row) ?? []
    return [...names.matchAll(/`([^`]+)`/g)].map(([, name]) => `${name}.test.ts`)
  })
  const there = (await readdir(folder)).filter((name) => name.endsWith('.test.ts'))
  assert.deepEqual(told.toSorted(), there.toSorted())
})
