import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertGolden } from '../../test/support/golden.ts'
import { udpChains } from './udp-text.ts'

const pool = '10.213.0.0/16'
const port = { bind: '0.0.0.0', subnet: '10.213.4.0/24', port: 5353, isHeld: false }

test('udp ports: in turn, for some callers alone, at one address, and without a copy', () => {
  const ports = [
    { ...port, listenPort: 53, copies: ['10.213.4.2', '10.213.4.3'] },
    { ...port, listenPort: 54, copies: ['10.213.4.2'], allowedSources: ['192.0.2.0/24', 'fd00::/8'] },
    { ...port, listenPort: 55, copies: ['10.213.4.2'], allowedSources: ['fd00::/8'] },
    { ...port, listenPort: 56, copies: ['10.213.4.2'], bind: '127.0.0.1' },
    { ...port, listenPort: 57, copies: [], isHeld: true },
    { ...port, listenPort: 58, copies: [] },
  ]
  assertGolden('names/ports.nft', udpChains(ports, pool).join('\n'))
})

test('without a port there is no chain', () => {
  assert.deepEqual(udpChains([], pool), [])
})
