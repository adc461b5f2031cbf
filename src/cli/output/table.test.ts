import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatFacts, formatTable, type Column } from './table.ts'
import { ago, tookBetween } from './times.ts'

interface Row {
  name: string
  count: number | null
}

const columns: Column<Row>[] = [
  { heading: 'NAME', value: ({ name }) => name },
  { heading: 'COUNT', value: ({ count }) => count, align: 'right' },
]

test('columns are as wide as their widest cell; numbers stand at the right; nothing is a dash', () => {
  const text = formatTable(columns, [
    { name: 'web', count: 2 },
    { name: 'a-long-name', count: 12345678 },
    { name: '', count: null },
  ])
  assert.equal(
    text,
    [
      'NAME            COUNT',
      'web                 2',
      'a-long-name  12345678',
      '–                   –',
      '',
    ].join('\n'),
  )
})

test('paint comes after the width is known, and no line ends in blanks', () => {
  const paint = (text: string) => `<${text}>`
  const text = formatTable(
    [
      { ...columns[0]!, paint },
      { heading: 'LAST', value: ({ name }) => name },
    ],
    [{ name: 'é', count: 0 }],
  )
  assert.equal(text, 'NAME  LAST\n<é   >  é\n')
})

test('control characters of a name do not reach the terminal', () => {
  assert.equal(formatTable([columns[0]!], [{ name: 'a\u001b[2Jb\nc\u009b', count: 0 }]), 'NAME\nab c�\n')
})

test('facts leave out what is undefined and show null as a dash', () => {
  assert.equal(
    formatFacts([
      ['app', 'web'],
      ['exit code', null],
      ['none', undefined],
      ['count', 0],
    ]),
    'app        web\nexit code  –\ncount      0\n',
  )
})

test('times are told from now', () => {
  const now = Date.parse('2026-11-23T10:00:00Z')
  assert.equal(ago(null, now), null)
  assert.equal(ago('2026-11-23T09:59:58Z', now), 'just now')
  assert.equal(ago('2026-11-23T10:00:30Z', now), 'just now')
  assert.equal(ago('2026-11-23T09:59:20Z', now), '40 s ago')
  assert.equal(ago('2026-11-23T09:12:20Z', now), '47 min ago')
  assert.equal(ago('2026-11-20T09:12:20Z', now), '3 d ago')
  assert.equal(ago('soon', now), 'soon')
  assert.equal(tookBetween('2026-11-23T09:59:00Z', null, now), '1 min')
  assert.equal(tookBetween('2026-11-23T09:59:00Z', '2026-11-23T09:59:00.250Z', now), '250 ms')
})
