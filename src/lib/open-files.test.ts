import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mostOpenFiles } from './open-files.ts'

const limits = (soft: string) => `Limit                     Soft Limit           Hard Limit           Units
Max processes             15733                15733                processes
Max open files            ${soft}                524288               files
`

test('the limit of open files, which may be none', () => {
  assert.equal(mostOpenFiles(limits('1024')), 1024)
  assert.equal(mostOpenFiles(limits('unlimited')), Infinity)
  assert.equal(mostOpenFiles(''), Infinity)
  assert.ok(mostOpenFiles() > 0)
})
