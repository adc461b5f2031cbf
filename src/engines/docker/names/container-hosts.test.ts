import assert from 'node:assert/strict'
import { test } from 'node:test'
import { containerHosts } from './container-hosts.ts'

const plan = {
  type: 'web',
  peers: [
    { type: 'web', names: ['web'] },
    { type: 'db', names: ['db', 'store'] },
  ],
  extraHosts: [{ host: 'store', address: '192.0.2.1' }],
}
const addresses = new Map([
  ['web', '198.18.0.2'],
  ['db', '198.18.0.3'],
])

test('a copy has the names of all it can reach, and itself under its own; the file goes before', () => {
  assert.deepEqual(containerHosts(plan, '10.213.0.2', addresses), [
    { host: 'web', address: '10.213.0.2' },
    { host: 'db', address: '198.18.0.3' },
  ])
})

test('a one-off is none of the copies of its type; where names are not used there is no line', () => {
  assert.deepEqual(containerHosts(plan, null, addresses)[0], { host: 'web', address: '198.18.0.2' })
  assert.deepEqual(containerHosts(plan, '10.213.0.2', new Map()), [])
})
