import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { findPortHolder, listeningInodes } from './port-holder.ts'

test('the program that listens on a port', async () => {
  for (const host of ['127.0.0.1', '::']) {
    const server = createServer().listen(0, host)
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    assert.equal((await findPortHolder(port))?.pid, process.pid)
    server.close()
    await once(server, 'close')
    assert.equal(await findPortHolder(port), null)
  }
})

test('only listening sockets count, not connections to the same number', () => {
  const table = [
    '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode',
    '   0: 0100007F:1538 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100 0 0 10 0',
    '   1: 0100007F:1538 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0 20 4 30 10 -1',
    '   2: 0100007F:9C40 0100007F:1538 0A 00000000:00000000 00:00000000 00000000     0        0 4713 1 0 20 4 30 10 -1',
  ].join('\n')
  assert.deepEqual(listeningInodes(table, 5432), ['4711'])
})
