import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Port } from '../../../domain/port.ts'
import { webPorts } from './web-ports.ts'

const port = (external: number, container: number, protocol: Port['protocol'] = 'http'): Port => ({
  external,
  container,
  protocol,
  proxy: false,
  secure: false,
})

test('each way of the web leads to the first port that is opened for it', () => {
  const ways = (...ports: Port[]) =>
    webPorts(ports).map(({ port: { container }, at, isTlsOnly }) => [container, at, isTlsOnly])
  const usual = undefined
  assert.deepEqual(ways(port(80, 3000), port(8080, 4000)), [[3000, usual, usual]])
  assert.deepEqual(ways(port(443, 3000, 'https')), [[3000, ['http', 'https'], true]])
  assert.deepEqual(ways(port(80, 3000), port(443, 3000, 'https')), [[3000, ['http', 'https'], usual]])
  assert.deepEqual(ways(port(80, 80), port(443, 443, 'https')), [
    [80, ['http'], usual],
    [443, ['https'], usual],
  ])
  assert.deepEqual(ways(port(80, 3000), port(8443, 3000, 'https')), [[3000, ['http', 8443, 'https'], usual]])
  assert.deepEqual(ways(port(8443, 3000, 'https')), [[3000, [8443], usual]])
  assert.deepEqual(ways(port(25, 25, 'tcp'), { ...port(80, 80), external: null }), [])
})
