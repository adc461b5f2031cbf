import assert from 'node:assert/strict'
import { test } from 'node:test'
import { serversOfProcesses } from './retirement.ts'
import { serverName } from './route-table.ts'

test('the servers of processes are known by their names, whatever port and release they had', () => {
  const odd = serverName({ process: 'P.1/x', release: 'R 1' })
  const servers = [
    'shop.http.3000.web/PA.ROLD',
    'shop.http.4000.web/PA.ROLD',
    'shop.tcp.1883.mqtt/PA.RNEW',
    'shop.http.3000.web/PAA.ROLD',
    'shop.http.3000.web/PB.PA',
    `shop.http.3000.web/${odd}`,
    'shop-two.http.3000.web/PA.ROLD',
    'handover/serving',
  ]
  const of = (...processes: string[]) => serversOfProcesses(servers, { app: 'shop', processes })
  assert.deepEqual(of('PA'), servers.slice(0, 3))
  assert.deepEqual(of('PB', 'P.1/x'), ['shop.http.3000.web/PB.PA', `shop.http.3000.web/${odd}`])
  assert.deepEqual(of(), [])
})
