import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isContents, nameOf, parsePlace, splitPath } from './place.ts'

test('a place is in a process, here, or a stream', () => {
  assert.deepEqual(parsePlace('-'), { kind: 'stream' })
  assert.deepEqual(parsePlace('web:/a b/c:d'), { kind: 'inside', process: 'web', path: '/a b/c:d' })
  assert.deepEqual(parsePlace('PABCDEFGHIJ:/'), { kind: 'inside', process: 'PABCDEFGHIJ', path: '/' })
  for (const path of ['file', './web:/a', '/a:/b', '../a:b', '.'])
    assert.deepEqual(parsePlace(path), { kind: 'local', path })
  assert.throws(() => parsePlace('web:a'), { code: 'usage', hint: /web:\/a in the process; \.\/web:a/ })
  // What is above has no name of its own here: it would be written above the target.
  for (const word of ['web:', 'web:/srv/..', 'web:/srv/../etc']) {
    assert.throws(() => parsePlace(word), { code: 'usage' })
  }
})

test('a path has a name, or stands for what is in it', () => {
  assert.deepEqual(['/a/b', '/a/b/', 'b', './b'].map(nameOf), ['b', 'b', 'b', 'b'])
  assert.deepEqual(['/', '/a/.', '.', 'a/./'].map(isContents), [true, true, true, true])
  assert.deepEqual(['/a', '..', '/a/.b'].map(isContents), [false, false, false])
})

test('a path is a name in a directory', () => {
  assert.deepEqual(splitPath('/a/b/'), { parent: '/a', name: 'b' })
  assert.deepEqual(splitPath('/a'), { parent: '/', name: 'a' })
  assert.deepEqual(splitPath('a'), { parent: '.', name: 'a' })
})
