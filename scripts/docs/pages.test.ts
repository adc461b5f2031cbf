import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { errorCodes } from '../../src/domain/error.ts'
import { renderErrors } from './errors.ts'
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
