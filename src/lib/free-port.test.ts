import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { test } from 'node:test'
import { firstFreePort, isPortFree, isUdpPortFree } from './free-port.ts'

test('a port that is listened on is not free, and the next one is taken', async () => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  assert.equal(await isPortFree('127.0.0.1', port), false)
  assert.equal(await firstFreePort('127.0.0.1', [port]), null)
  await new Promise((resolve) => server.close(resolve))
  assert.equal(await isPortFree('127.0.0.1', port), true)
  assert.equal(await firstFreePort('127.0.0.1', [port]), port)
})

test('an address that is not of this machine is an error, not a taken port', async () => {
  await assert.rejects(isPortFree('192.0.2.1', 8080), { code: 'EADDRNOTAVAIL' })
})

test('a port for datagrams is another than that for connections', async () => {
  const held = createSocket('udp4').bind(0, '0.0.0.0')
  await once(held, 'listening')
  const { port } = held.address()
  assert.equal(await isUdpPortFree('127.0.0.1', port), false)
  assert.equal(await isPortFree('127.0.0.1', port), true)
  held.close()
  await once(held, 'close')
  assert.equal(await isUdpPortFree('127.0.0.1', port), true)
  await assert.rejects(isUdpPortFree('192.0.2.1', port), { code: 'EADDRNOTAVAIL' })
})
