import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { test } from 'node:test'
import { firstFreePort, isPortFree, isUdpPortFree } from './free-port.ts'

/** No client of this machine has it as its own, so that what is free here is not taken by chance. */
const host = '127.77.3.1'

test('a port that is listened on is not free, and the next one is taken', async (t) => {
  const server = createServer()
  t.after(() => server.close())
  await new Promise<void>((resolve) => server.listen(0, host, resolve))
  const { port } = server.address() as AddressInfo
  assert.equal(await isPortFree(host, port), false)
  assert.equal(await firstFreePort(host, [port]), null)
  await new Promise((resolve) => server.close(resolve))
  assert.equal(await isPortFree(host, port), true)
  assert.equal(await firstFreePort(host, [port]), port)
})

test('an address that is not of this machine is an error, not a taken port', async () => {
  await assert.rejects(isPortFree('192.0.2.1', 8080), { code: 'EADDRNOTAVAIL' })
})

test('a port for datagrams is another than that for connections', async (t) => {
  const held = createSocket('udp4').bind(0, '0.0.0.0')
  // One that is left open keeps the program from its end.
  t.after(() => held[Symbol.asyncDispose]())
  await once(held, 'listening')
  const { port } = held.address()
  assert.equal(await isUdpPortFree(host, port), false)
  assert.equal(await isPortFree(host, port), true)
  await held[Symbol.asyncDispose]()
  assert.equal(await isUdpPortFree(host, port), true)
  await assert.rejects(isUdpPortFree('192.0.2.1', port), { code: 'EADDRNOTAVAIL' })
})
