import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { errorCodes } from '../../src/domain/error.ts'
import { labelRules } from '../../src/manifest/keys/labels/label-rules.ts'
import { allKeys } from '../../src/manifest/verdicts/all-keys.ts'
import { renderErrors } from './errors.ts'
import { contractFile, featureTests, isWished, listScenarios, testsOf } from './engines/shown-by.ts'
import { variances } from './engines/variances.ts'
import { areas } from './manifest/areas.ts'
import { featureTitles, type Feature } from './manifest/differences.ts'
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

test('every difference of the engines is shown by a test that there is', async () => {
  const features = Object.keys(featureTitles) as Feature[]
  const named = [...variances.flatMap(({ shown }) => shown), ...features.flatMap(testsOf)]
  assert.ok(named.length > 40, `only ${named.length} tests`)
  const scenarios = new Set(listScenarios().map(({ title }) => title))
  for (const { file, title } of named) {
    if (file === contractFile) assert.ok(scenarios.has(title), `no scenario: ${title}`)
    else assert.ok((await readFile(join(root, file), 'utf8')).includes(`'${title}'`), `${file}: ${title}`)
  }
  assert.deepEqual(
    features.filter((name) => !isWished(name) && testsOf(name).length === 0),
    [],
    'which test shows it? scripts/docs/engines/shown-by.ts',
  )
  assert.ok((await readFile(join(root, featureTests), 'utf8')).includes('test(`without ${feature}: '))
  const rows = [...features, ...variances.map(({ name }) => name)]
  assert.equal(new Set(rows).size, rows.length, 'two rows of one name')
})
