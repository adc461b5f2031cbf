import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatDotenv, parseDotenv } from './dotenv.ts'

const cases: [string, string, Record<string, string>][] = [
  ['plain', 'A=1\nB = two words \n', { A: '1', B: 'two words' }],
  ['comments and blank lines', '# one\n\nA=1 # two\nB=x#y\n', { A: '1', B: 'x#y' }],
  ['export, BOM and CRLF', '\uFEFFexport A=1\r\nB=2\r\n', { A: '1', B: '2' }],
  ['single quotes take all as it is', String.raw`A='a \n $B "c" # d'`, { A: String.raw`a \n $B "c" # d` }],
  ['double quotes read escapes', String.raw`A="a\nb\t\"c\" \$D \x"`, { A: 'a\nb\t"c" $D \\x' }],
  ['many lines', 'KEY="-----BEGIN\nabc\n-----END"\nB=2', { KEY: '-----BEGIN\nabc\n-----END', B: '2' }],
  ['empty and repeated', 'A=\nA=2\nB=""', { A: '2', B: '' }],
  ['an equals sign in the value', 'URL=postgres://u:p@h/d?a=b', { URL: 'postgres://u:p@h/d?a=b' }],
]

for (const [name, text, values] of cases) {
  test(name, () => assert.deepEqual(parseDotenv(text), { values, faults: [] }))
}

test('lines that are none are told with their number', () => {
  const { values, faults } = parseDotenv('A=1\nnot this\nB="open\n\nC=3')
  assert.deepEqual(values, { A: '1', C: '3' })
  assert.deepEqual(
    faults.map(({ line }) => line),
    [2, 3],
  )
})

test('a name of an object is a variable like any other', () => {
  assert.deepEqual(Object.entries(parseDotenv('__proto__=1\nconstructor=2').values), [
    ['__proto__', '1'],
    ['constructor', '2'],
  ])
})

test('what is written is read again', () => {
  const name = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]*$/)
  fc.assert(
    fc.property(fc.array(fc.tuple(name, fc.string({ unit: 'binary' }))), (entries) => {
      const values = Object.fromEntries(entries)
      assert.deepEqual(parseDotenv(formatDotenv(values)), { values, faults: [] })
    }),
  )
})
