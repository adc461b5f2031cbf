import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseDotenv } from './dotenv.ts'

const none = () => undefined

function read(text: string, isRaw = false): Record<string, string> {
  return Object.fromEntries(parseDotenv(text, none, isRaw).values)
}

test('reads lines as Compose does', () => {
  assert.deepEqual(read('A=1\n\n# no\nexport B=2\nC = 3 # said\nD=a#b\r\nE=\n F=x y \nG: yaml'), {
    A: '1',
    B: '2',
    C: '3',
    D: 'a#b',
    E: '',
    F: 'x y',
    G: 'yaml',
  })
})

test('reads quotes, escapes and values of many lines', () => {
  const text = `A="a # b" # c\nB='$A "x"'\nC="one\ntwo\\n\\"three\\""\nD='x\ny'\nE="\\$A"`
  assert.deepEqual(read(text), { A: 'a # b', B: '$A "x"', C: 'one\ntwo\n"three"', D: 'x\ny', E: '$A' })
})

test('fills in variables: those that are known win over earlier lines', () => {
  const file = parseDotenv('A=1\nB=$A-${C:-x}-$K', (name) => (name === 'K' ? 'k' : undefined))
  assert.equal(file.values.get('B'), '1-x-k')
})

test('raw values are taken as they stand', () => {
  assert.deepEqual(read('A="x" $B # c', true), { A: '"x" $B # c' })
})

test('says which line it cannot read', () => {
  const { values, faults } = parseDotenv('A=1\nhello world\nB\nC="x\nD=2', none)
  assert.deepEqual([...values], [['A', '1']])
  assert.deepEqual(faults, [
    { line: 2, message: 'not a line of the form NAME=value' },
    { line: 4, message: 'the quote is not closed' },
  ])
})
