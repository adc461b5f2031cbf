import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { test } from 'node:test'
import { newPortsOfOthers } from './ports-of-others.ts'
import type { RouteTable } from './route-table.ts'

const empty: RouteTable = { httpBind: '127.0.0.1', httpPort: 8080, apps: [] }

function udpTable(listenPort: number): RouteTable {
  const udp = [{ type: 'dns', port: 53, bind: '127.0.0.1', listenPort, processes: [] }]
  return { ...empty, apps: [{ app: 'names', http: [], tcp: [], udp }] }
}

test('a udp port that another program has is told, unless it is this rack’s already', async () => {
  const socket = createSocket('udp4').bind(0, '127.0.0.1')
  await once(socket, 'listening')
  try {
    const table = udpTable(socket.address().port)
    const [taken] = await newPortsOfOthers(empty, table)
    assert.equal(taken?.code, 'port-taken')
    assert.match(taken?.message ?? '', /^udp port \d+ is held by another program on this machine$/)
    assert.match(taken?.hint ?? '', /^Give names another external port/)
    assert.deepEqual(await newPortsOfOthers(table, table), [])
  } finally {
    socket.close()
  }
})
