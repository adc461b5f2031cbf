import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { lineDiff } from './line-diff.ts'

test('two texts that are the same differ in nothing', () => {
  assert.equal(lineDiff('a.yml', 'one\ntwo\n', 'one\ntwo\n'), '')
})

test('a change is shown between the three lines around it', () => {
  const before = 'a\nb\nc\nd\ne\nf\ng\nh\n'
  assert.equal(
    lineDiff('a.yml', before, before.replace('e\n', 'E\nF\n')),
    '--- a.yml\n+++ a.yml\n@@ -2,7 +2,8 @@\n b\n c\n d\n-e\n+E\n+F\n f\n g\n h\n',
  )
})

test('changes that are far from each other are two hunks', () => {
  const lines = Array.from({ length: 20 }, (_, index) => `${index}`)
  const after = lines.with(1, 'x').toSpliced(17, 1)
  const diff = lineDiff('a', `${lines.join('\n')}\n`, `${after.join('\n')}\n`)
  assert.deepEqual(diff.match(/^@@.*$/gm), ['@@ -1,5 +1,5 @@', '@@ -15,6 +15,5 @@'])
})

test('a last line without an end, and a text of no line, are told as patch wants them', () => {
  assert.match(lineDiff('a', 'x', 'x\n'), /^-x\n\\ No newline at end of file\n\+x\n$/m)
  assert.match(lineDiff('a', '', 'x\n'), /^@@ -0,0 \+1,1 @@\n\+x\n$/m)
})

test('whatever the texts are, the diff leads from one to the other', () => {
  const text = fc
    .array(fc.constantFrom('a', 'b', 'c', 'd', ''), { maxLength: 40 })
    .chain((lines) =>
      fc.boolean().map((isEnded) => lines.join('\n') + (isEnded && lines.length > 0 ? '\n' : '')),
    )
  fc.assert(
    fc.property(text, text, (before, after) =>
      assert.equal(applied(before, lineDiff('a', before, after)), after),
    ),
  )
})

/** What `patch` makes of a text; every line that is there must be the one that the diff names. */
function applied(before: string, diff: string): string {
  const old = before.match(/[^\n]*\n|[^\n]+$/g) ?? []
  const made: string[] = []
  let at = 0
  const lines = diff.split('\n').slice(2, -1)
  for (const [index, line] of lines.entries()) {
    const start = /^@@ -(\d+),(\d+)/.exec(line)
    const text = line.slice(1) + (lines[index + 1]?.startsWith('\\') ? '' : '\n')
    if (start) {
      const to = Number(start[1]) - (start[2] === '0' ? 0 : 1)
      made.push(...old.slice(at, to))
      at = to
    } else if (line.startsWith('+')) made.push(text)
    else if (!line.startsWith('\\')) {
      assert.equal(old[at], text)
      if (line.startsWith(' ')) made.push(text)
      at += 1
    }
  }
  return [...made, ...old.slice(at)].join('')
}
