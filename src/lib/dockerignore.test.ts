import assert from 'node:assert/strict'
import { test } from 'node:test'
import { alwaysSent, parseDockerIgnore } from './dockerignore.ts'

const cases: { rules: string; ignored?: string[]; kept?: string[] }[] = [
  { rules: '', kept: ['a', '.git/config'] },
  { rules: 'node_modules', ignored: ['node_modules', 'node_modules/a/b.js'], kept: ['src/node_modules/a'] },
  { rules: '**/node_modules', ignored: ['node_modules/a', 'src/node_modules/a'], kept: ['node_modules.txt'] },
  { rules: '/dist/\n./out', ignored: ['dist', 'dist/a', 'out/b'], kept: ['src/dist'] },
  { rules: '*.md\n!README.md', ignored: ['a.md'], kept: ['README.md', 'docs/a.md'] },
  {
    rules: '*\n!src\n!package.json',
    ignored: ['dist/a', '.env'],
    kept: ['src/a.ts', 'src/b/c', 'package.json'],
  },
  { rules: '# a comment\n\n  secret \n', ignored: ['secret'], kept: ['# a comment', 'x'] },
  { rules: '\uFEFFfirst\r\nsecond\r\n', ignored: ['first', 'second'] },
  { rules: 'README', ignored: ['README'], kept: ['readme'] },
  { rules: 'c++\na(b)\n{x}', ignored: ['c++', 'a(b)/file', '{x}'], kept: ['c', 'cc', 'ab'] },
  { rules: 'file?.[ab]', ignored: ['file1.a'], kept: ['file1.c', 'file.a'] },
  { rules: 'dir\n!dir/keep', ignored: ['dir/drop'], kept: ['dir/keep', 'dir/keep/deep'] },
]

for (const { rules, ignored = [], kept = [] } of cases) {
  test(`rules ${JSON.stringify(rules)}`, () => {
    const read = parseDockerIgnore(rules)
    const ignores = (path: string) => read.ignores(path)
    assert.deepEqual(
      ignored.filter((path) => !ignores(path)),
      [],
      'these should be ignored',
    )
    assert.deepEqual(kept.filter(ignores), [], 'these should be kept')
  })
}

test('a walker skips a directory only when no exception can lie in it', () => {
  assert.ok(parseDockerIgnore('node_modules').ignoresAllBelow('node_modules'))
  assert.ok(!parseDockerIgnore('node_modules').ignoresAllBelow('src'))
  assert.ok(parseDockerIgnore('*\n!src').ignoresAllBelow('node_modules'))
  assert.ok(!parseDockerIgnore('*\n!src').ignoresAllBelow('src'))
  assert.ok(!parseDockerIgnore('*\n!src/lib/a').ignoresAllBelow('src'))
  assert.ok(!parseDockerIgnore('*\n!**/*.ts').ignoresAllBelow('any'))
  assert.ok(!parseDockerIgnore('*\n!s*/keep').ignoresAllBelow('src'))
  assert.ok(parseDockerIgnore('*\n!s*/keep').ignoresAllBelow('lib'))
})

test('a pattern that cannot be read is refused at once', () => {
  assert.throws(() => parseDockerIgnore('ok\n[z-a]'), SyntaxError)
})

test('a build needs its Dockerfile and both files of rules', () => {
  assert.deepEqual(alwaysSent('ops/Dockerfile'), [
    'ops/Dockerfile',
    'ops/Dockerfile.dockerignore',
    '.dockerignore',
  ])
})
