import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { errorCodes } from '../../src/domain/error.ts'
import { labelRules } from '../../src/manifest/keys/labels/label-rules.ts'
import { allKeys } from '../../src/manifest/verdicts/all-keys.ts'
import { renderErrors } from './errors.ts'
import { areas } from './manifest/areas.ts'
import { renderManifest } from './manifest/render.ts'
import { wordsOf } from './manifest/tables.ts'
import { pages } from './pages.ts'

const root = join(import.meta.dirname, '../..')

for (const [path, render] of Object.entries(pages)) {
  test(`${path} says what the code says`, async () => {
    assert.equal(await readFile(join(root, path), 'utf8'), render(), 'write it anew: npm run docs')
  })
}

test('every code has its row', () => {
  const page = renderErrors()
  for (const code of Object.keys(errorCodes)) assert.ok(page.includes(`| \`${code}\` |`), code)
})

test('every key and every label of a compose file has one row, and every area names keys that there are', () => {
  const rows = renderManifest()
    .split('\n')
    .filter((line) => /^\| `[^`]+` \| (honoured|translated|ignored|refused) \|/.test(line))
  assert.equal(rows.length, Object.keys(allKeys).length + Object.keys(labelRules).length)
  for (const name of Object.keys(labelRules)) {
    const row = new RegExp(`\\| \`rack\\.${name.replaceAll('.', '\\.').replace('*', '[A-Z]+')}\` \\|`)
    assert.match(renderManifest(), row)
  }
  const named = areas.flatMap(({ keys }) => wordsOf(keys))
  assert.deepEqual(
    named.filter((key) => !Object.hasOwn(allKeys, `services.*.${key}`)),
    [],
  )
  assert.equal(new Set(named).size, named.length)
})
