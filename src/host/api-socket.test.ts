import assert from 'node:assert/strict'
import { test } from 'node:test'
import { apiSocketPath, ownSocketDirectory } from './api-socket.ts'

test('the socket lies in the directory of its rack', () => {
  const directory = '/var/lib/rack/demo'
  const path = apiSocketPath(directory)
  assert.equal(path, '/var/lib/rack/demo/api.sock')
  assert.equal(ownSocketDirectory({ directory, socket: { path } }), null)
})

test('where that path is too long for a socket it has a short directory of its own, the same each time', () => {
  const longest = `/${'d'.repeat(90)}`
  assert.equal(apiSocketPath(longest), `${longest}/api.sock`)
  for (const directory of [`${longest}d`, `/${'ä'.repeat(46)}`, `/srv/${'d'.repeat(300)}`]) {
    const path = apiSocketPath(directory)
    assert.match(path, /^\/(run|tmp)\/rack-[\d-]*[\da-f]{12}\/api\.sock$/)
    assert.equal(apiSocketPath(directory), path)
    assert.equal(ownSocketDirectory({ directory, socket: { path } }), path.replace('/api.sock', ''))
  }
  assert.notEqual(apiSocketPath(`${longest}a`), apiSocketPath(`${longest}b`))
})
