import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseDotenv } from './dotenv.ts'

const none = () => undefined

function read(text: string, isRaw = false): Record<string, string> {
  return Object.fromEntries(parseDotenv(text, none, { isRaw }).values)
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

test('a hash starts a comment after a space that follows a value', () => {
  assert.deepEqual(read('A=#fff\nB=a #b\nC=a#b\nD=a\t#b'), { A: '#fff', B: 'a', C: 'a#b', D: 'a\t#b' })
})

test('a backslash in single quotes keeps the quote, and nothing else', () => {
  const text = String.raw`A='Let\'s go'
B='a\nb'
C='d:\\'
D=1`
  assert.deepEqual(read(text), { A: "Let's go", B: String.raw`a\nb`, C: String.raw`d:\\`, D: '1' })
})

test('names and dollars may be what Compose lets them be', () => {
  assert.deepEqual(read('É=1\n1A=2\nA[0]=3\nB=pa$\nC=$5'), {
    É: '1',
    '1A': '2',
    'A[0]': '3',
    B: 'pa$',
    C: '$5',
  })
})

test('files before this one are known, below its own lines', () => {
  const before = new Map([
    ['A', 'one'],
    ['B', 'one'],
  ])
  const { values } = parseDotenv('B=two\nC=$A-$B', none, { before })
  assert.equal(values.get('C'), 'one-two')
})

test('fills in variables: those that are known win over earlier lines', () => {
  const file = parseDotenv('A=1\nB=$A-${C:-x}-$K', (name) => (name === 'K' ? 'k' : undefined))
  assert.equal(file.values.get('B'), '1-x-k')
})

test('a name alone takes the value that is known, if there is one', () => {
  const file = parseDotenv('K\nexport L \nM', (name) => ({ K: 'k', L: '' })[name])
  assert.deepEqual(Object.fromEntries(file.values), { K: 'k', L: '' })
})

test('raw values are taken as they stand', () => {
  assert.deepEqual(read('A="x" $B # c\nB= \'y', true), { A: '"x" $B # c', B: " 'y" })
})

test('says which line it cannot read', () => {
  const { values, faults } = parseDotenv('A=1\nhello world\nB\nC="x\nD=2', none)
  assert.deepEqual([...values.keys()], ['A'])
  assert.deepEqual(faults, [
    { line: 2, message: 'not a line of the form NAME=value' },
    { line: 4, message: 'the quote is not closed' },
  ])
})

test('says in which lines a variable has no value', () => {
  const { values, gaps } = parseDotenv("A=pa$word\nB='pa$word'\nC=${A}$$x${D:-}\nE=${F?why}", none)
  assert.deepEqual(Object.fromEntries(values), { A: 'pa', B: 'pa$word', C: 'pa$x', E: '' })
  assert.deepEqual(gaps, [
    { line: 1, message: null },
    { line: 4, message: 'the variable F is required: why' },
  ])
})

test('variables that hold each other do not grow without end, which is said', () => {
  const doubled = Array.from({ length: 40 }, (_, at) => `A${at + 1}=$A${at}$A${at}`)
  const { values, faults } = parseDotenv(`A0=0123456789\n${doubled.join('\n')}`, none)
  assert.deepEqual(
    faults.map(({ message }) => message),
    ['the value grows too long', 'the variables of the file expand to too much text'],
  )
  assert.ok(Math.max(...[...values.values()].map(({ length }) => length)) < 256 * 1024)
})
