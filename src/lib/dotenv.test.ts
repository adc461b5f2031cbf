import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatDotenv, parseDotenv } from './dotenv.ts'

/** As the variables of an app are read. */
function read(text: string) {
  const { values, faults } = parseDotenv(text)
  return { values: Object.fromEntries(values), faults }
}

const cases: [string, string, Record<string, string>][] = [
  ['plain', 'A=1\nB = two words \n', { A: '1', B: 'two words' }],
  ['comments and blank lines', '# one\n\nA=1 # two\nB=x#y\nC=#z\n', { A: '1', B: 'x#y', C: '#z' }],
  ['export, BOM and CRLF', '\uFEFFexport A=1\r\nB=2\r\n', { A: '1', B: '2' }],
  ['single quotes take all as it is', String.raw`A='a \n $B "c" # d'`, { A: String.raw`a \n $B "c" # d` }],
  ['a backslash keeps a single quote', String.raw`A='it\'s \\ '`, { A: String.raw`it's \\ ` }],
  ['a dollar stays', 'A=$B${C}', { A: '$B${C}' }],
  ['double quotes read escapes', String.raw`A="a\nb\t\"c\" \$D \x"`, { A: 'a\nb\t"c" $D \\x' }],
  ['many lines', 'KEY="-----BEGIN\nabc\n-----END"\nB=2', { KEY: '-----BEGIN\nabc\n-----END', B: '2' }],
  ['empty and repeated', 'A=\nA=2\nB=""', { A: '2', B: '' }],
  ['an equals sign in the value', 'URL=postgres://u:p@h/d?a=b', { URL: 'postgres://u:p@h/d?a=b' }],
]

for (const [name, text, values] of cases) {
  test(name, () => assert.deepEqual(read(text), { values, faults: [] }))
}

test('lines that are none are told with their number', () => {
  const { values, faults } = read('A=1\nnot this\nNAME\nB="open\n\nC=3')
  assert.deepEqual(values, { A: '1' })
  assert.deepEqual(
    faults.map(({ line }) => line),
    [2, 3, 4],
  )
})

test('raw, a value is what stands behind its sign', () => {
  const { values } = parseDotenv(`A='x' # y\nB= "$C"`, { isRaw: true })
  assert.deepEqual(
    [...values],
    [
      ['A', "'x' # y"],
      ['B', ' "$C"'],
    ],
  )
})

test('names alone take what is known of them, texts are filled in with the values before them', () => {
  const lookup = (name: string) => (name === 'KNOWN' ? 'yes' : undefined)
  const fill = (text: string, line: number, earlier: ReadonlyMap<string, string>) =>
    `${line}:${text}:${earlier.size}`
  const { values } = parseDotenv(`KNOWN\nUNKNOWN\nA="\\$B"\nB='$A'`, { lookup, fill })
  assert.deepEqual(
    [...values],
    [
      ['KNOWN', 'yes'],
      ['A', '3:$$B:1'],
      ['B', '$A'],
    ],
  )
})

test('a name of an object is a variable like any other', () => {
  assert.deepEqual(
    [...parseDotenv('__proto__=1\nconstructor=2').values],
    [
      ['__proto__', '1'],
      ['constructor', '2'],
    ],
  )
})

test('what is written is read again', () => {
  const name = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]*$/)
  // No variable can hold the end of a text.
  const value = fc.string({ unit: 'binary' }).filter((text) => !text.includes('\0'))
  fc.assert(
    fc.property(fc.array(fc.tuple(name, value)), (entries) => {
      const values = Object.fromEntries(entries)
      assert.deepEqual(read(formatDotenv(values)), { values, faults: [] })
    }),
  )
})

test('a NUL byte is no part of a value, in quotes, raw or without', () => {
  const faults = [{ line: 2, message: 'a value cannot hold a NUL byte' }]
  for (const value of ['a\0b', '"a\0b"', "'a\0'"]) {
    assert.deepEqual(parseDotenv(`A=1\nB=${value}\n`).faults, faults)
    assert.deepEqual(parseDotenv(`A=1\nB=${value}\n`, { isRaw: true }).faults, faults)
  }
})
