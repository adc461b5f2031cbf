import assert from 'node:assert/strict'
import { test } from 'node:test'
import { plainContainer } from '../../../../domain/container.ts'
import { isolatedOptions } from './isolated-options.ts'

const dns = { servers: ['192.0.2.53'], search: [], options: [] }
const networks = [{ name: 'back', aliases: [] }]
const open = { networks, isEnclosed: false }

test('a type that no network keeps apart has the options of its file', () => {
  assert.equal(isolatedOptions({ container: plainContainer }), plainContainer)
})

test('who is known by its address can send under no other', () => {
  const sysctls = {
    'net.ipv6.conf.all.disable_ipv6': '0',
    'net.ipv4.ip_nonlocal_bind': '1',
    'net.core.somaxconn': '1024',
  }
  const { capDrop, sysctls: kept } = isolatedOptions({
    container: { ...plainContainer, sysctls },
    isolation: open,
  })
  assert.deepEqual([capDrop, kept], [['NET_RAW'], { 'net.core.somaxconn': '1024' }])
  for (const capAdd of [['NET_RAW'], ['ALL']])
    assert.deepEqual(
      isolatedOptions({ container: { ...plainContainer, capAdd }, isolation: open }).capDrop,
      [],
    )
})

test('who has no way out asks no name server outside', () => {
  const container = { ...plainContainer, dns }
  assert.deepEqual(isolatedOptions({ container, isolation: open }).dns, dns)
  const enclosed = { networks, isEnclosed: true }
  assert.deepEqual(isolatedOptions({ container, isolation: enclosed }).dns.servers, ['127.0.0.1'])
})
