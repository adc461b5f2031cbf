import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readWeb } from '../../../test/support/compose.ts'

test('a pull policy is read in every way in which Compose writes it', () => {
  const table: [text: string, policy: string | null][] = [
    ['always', 'always'],
    ['missing', 'missing'],
    ['if_not_present', 'missing'],
    ['never', 'never'],
    ['daily', null],
    ['every_1w2d', null],
    ['', null],
  ]
  for (const [text, policy] of table) {
    const { web, problems } = readWeb(`pull_policy: ${text}`)
    assert.deepEqual([web.pullPolicy, problems], [policy, []], text)
  }
  assert.deepEqual(readWeb('pull_policy: build\nbuild: .').problems, [])
  assert.match(readWeb('pull_policy: build').problems[0] ?? '', /4:18: error: .*stands without `build`/)
  assert.match(
    readWeb('pull_policy: sometimes').problems[0] ?? '',
    /"sometimes" is no pull policy; write `always`/,
  )
})
