import assert from 'node:assert/strict'
import { test } from 'node:test'
import { limitConnections } from './connection-limits.ts'

test('files for what keeps the rack going are left, however few there are', () => {
  const limits = [20_000, 4096, 1024, 400].map((files) => {
    const { socket, tcp, tcpOfOneSource } = limitConnections(files)
    return { socket, tcp, tcpOfOneSource }
  })
  assert.deepEqual(limits, [
    { socket: 768, tcp: 512, tcpOfOneSource: 256 },
    { socket: 768, tcp: 512, tcpOfOneSource: 256 },
    { socket: 154, tcp: 102, tcpOfOneSource: 51 },
    { socket: 29, tcp: 19, tcpOfOneSource: 10 },
  ])
  assert.deepEqual(limitConnections(Number.POSITIVE_INFINITY), limitConnections(20_000))
})
