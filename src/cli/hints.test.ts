import assert from 'node:assert/strict'
import { test } from 'node:test'
import { labelRules } from '../manifest/keys/labels/label-rules.ts'
import { allKeys } from '../manifest/verdicts/all-keys.ts'
import { nouns } from './nouns.ts'

test('what verdicts and labels say to type is there to be typed', () => {
  const known = new Set(nouns.map(({ name }) => name))
  const texts = [...Object.entries(allKeys), ...Object.entries(labelRules)]
  const missing = texts.flatMap(([key, rule]) =>
    [...JSON.stringify(rule).matchAll(/`rack ([a-z]+)/g)].flatMap(([, noun = '']) =>
      known.has(noun) ? [] : [`${key}: rack ${noun}`],
    ),
  )
  assert.deepEqual(missing, [])
})
