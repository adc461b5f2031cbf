import assert from 'node:assert/strict'
import { test } from 'node:test'
import { unixPath, unixUrl } from './unix-url.ts'

test('a path becomes an address and a path again', () => {
  assert.equal(unixPath(unixUrl('/srv/a rack?#%/api.sock')), '/srv/a rack?#%/api.sock')
  assert.equal(unixPath('unix:///run/api.sock'), '/run/api.sock')
})

test('what is no absolute path of a socket is none', () => {
  for (const url of ['unix:', 'unix:api.sock', 'http://127.0.0.1', '/run/api.sock', ''])
    assert.equal(unixPath(url), null, url)
})
