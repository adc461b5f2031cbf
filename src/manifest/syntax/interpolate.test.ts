import assert from 'node:assert/strict'
import { test } from 'node:test'
import { interpolate } from './interpolate.ts'

const values: Record<string, string> = { A: 'a', EMPTY: '', DOLLAR: '$A' }
const lookup = (name: string) => values[name]

const table: [template: string, text: string, missing?: string[]][] = [
  ['plain', 'plain'],
  ['$A', 'a'],
  ['${A}', 'a'],
  ['x${A}y$A', 'xaya'],
  ['$A-b', 'a-b'],
  ['$$A', '$A'],
  ['$${A}', '${A}'],
  ['$$$A', '$a'],
  ['a$$', 'a$'],
  ['${N}', '', ['N']],
  ['$N', '', ['N']],
  ['${N:-x}', 'x'],
  ['${N-x}', 'x'],
  ['${EMPTY:-x}', 'x'],
  ['${EMPTY-x}', ''],
  ['${A:-x}', 'a'],
  ['${N:-}', ''],
  ['${N:-${A}}', 'a'],
  ['${N:-${M:-y}z}', 'yz'],
  ['${N:-${M}}', '', ['M']],
  ['${A:-${M}}', 'a'],
  ['${A:+x}', 'x'],
  ['${EMPTY:+x}', ''],
  ['${EMPTY+x}', 'x'],
  ['${N+x}', ''],
  ['${A:?no}', 'a'],
  ['${N:?no value}', '', ['N! no value']],
  ['${EMPTY:?no}', '', ['EMPTY! no']],
  // What a variable holds is in no message.
  ['${N:?not ${A} $$}', '', ['N! not ${A} $$']],
  ['${EMPTY?no}', ''],
  ['${N?}', '', ['N! ']],
  ['${N:-a:b}', 'a:b'],
  ['${N:-$$}', '$'],
  ['$DOLLAR', '$A'],
]

test('fills in every form', () => {
  for (const [template, text, missing = []] of table) {
    const result = interpolate(template, lookup)
    const said = result.missing.map(({ name, isRequired, message }) =>
      isRequired ? `${name}! ${message}` : name,
    )
    assert.deepEqual([result.text, said, result.fault], [text, missing, null], template)
  }
})

test('a dollar that starts no variable stays, and is told', () => {
  for (const template of ['$', 'a$', '^a$|b', '$(date)', '$1', '$-$', '$é']) {
    const { text, hasLoneDollar, fault } = interpolate(template, lookup)
    assert.deepEqual([text, hasLoneDollar, fault], [template, true, null])
  }
  assert.equal(interpolate('$$1 $A', lookup).hasLoneDollar, false)
})

test('says what cannot be read, and leaves it as it is', () => {
  for (const template of ['${', '${}', '${A', '${A:-x', '${A:x}', '${1}', '${A!}', '${A:+'.repeat(50)]) {
    const result = interpolate(template, lookup)
    assert.notEqual(result.fault, null, template)
    assert.equal(result.text, template)
  }
})

test('a value does not grow without end', () => {
  const result = interpolate('$B'.repeat(10), () => 'x'.repeat(30_000))
  assert.match(result.fault ?? '', /too long/)
})
