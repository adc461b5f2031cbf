import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRouter } from './create-router.ts'

const options = { directory: '/nowhere/router', httpBind: '127.0.0.1', httpPort: 80 }

test('a router is made of what HAProxy can take', () => {
  assert.ok(createRouter({ ...options, connections: 64, trustedProxies: ['10.0.0.0/8', '::1'] }))
  const bad = [
    { directory: 'router' },
    { directory: `/${'a'.repeat(90)}` },
    { connections: 3 },
    { connections: 100.5 },
    { trustedProxies: ['proxy.example.com'] },
    { trustedProxies: ['10.0.0.0/8 }'] },
  ]
  for (const part of bad)
    assert.throws(() => createRouter({ ...options, ...part }), { code: 'invalid' }, JSON.stringify(part))
})
