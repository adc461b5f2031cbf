import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { choosePort, isPortFree } from './choose-port.ts'

test('a port that is held is refused by its number, and chosen once it is free', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  assert.equal(await isPortFree('127.0.0.1', port), false)
  const taken = { code: 'port-taken', message: new RegExp(`port ${port} of 127.0.0.1`) }
  await assert.rejects(choosePort({ bind: '127.0.0.1', port }), taken)
  server.close()
  await once(server, 'close')
  assert.equal(await choosePort({ bind: '127.0.0.1', port }), port)
})

test('an address that is not of this machine is an error of its own', async () => {
  await assert.rejects(isPortFree('192.0.2.1', 8080), { code: 'EADDRNOTAVAIL' })
})
