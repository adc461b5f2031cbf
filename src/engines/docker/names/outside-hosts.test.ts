import assert from 'node:assert/strict'
import { test } from 'node:test'
import { outsideHosts } from './outside-hosts.ts'

const control = { signal: new AbortController().signal }

test('a link to an address outside is known by its names, but for those of which the file says otherwise', async () => {
  const outside = [{ host: '192.0.2.7', names: ['db', 'store'] }]
  const extraHosts = [{ host: 'store', address: '192.0.2.9' }]
  assert.deepEqual(await outsideHosts({ outside, extraHosts }, control), [
    { host: 'db', address: '192.0.2.7' },
  ])
  assert.deepEqual(await outsideHosts({ extraHosts: [] }, control), [])
})

test('a host that cannot be looked up has no line, and stops nobody', async () => {
  const outside = [
    { host: 'nowhere.invalid', names: ['db'] },
    { host: 'localhost', names: ['near'] },
  ]
  const lines = await outsideHosts({ outside, extraHosts: [] }, control)
  assert.deepEqual([...new Set(lines.map(({ host }) => host))], ['near'])
})
