import assert from 'node:assert/strict'
import { test } from 'node:test'
import { endpointUrl } from './endpoint.ts'

test('an address leaves out the usual port of its scheme alone', () => {
  const url = (scheme: 'http' | 'https' | 'tcp', port: number) =>
    endpointUrl({ process: 'web', scheme, host: 'shop.localhost', port })
  assert.equal(url('http', 80), 'http://shop.localhost')
  assert.equal(url('http', 8080), 'http://shop.localhost:8080')
  assert.equal(url('https', 443), 'https://shop.localhost')
  assert.equal(url('https', 80), 'https://shop.localhost:80')
  assert.equal(url('tcp', 80), 'tcp://shop.localhost:80')
})
