import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatCidr } from '../lib/cidr.ts'
import { parseRoutes, readMachineFacts } from './machine-facts.ts'

const table = `Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
br-1\t0000D50A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
docker0\t000011AC\t00000000\t0001\t0\t0\t9\t0000FFFF\t0\t0\t0
lo\t0100007F\t00000000\t0005\t0\t0\t0\tFFFFFFFF\t0\t0\t0
`

test('the routing table of Linux: each network once, without the default route', () => {
  assert.deepEqual(parseRoutes(table).map(formatCidr), ['10.213.0.0/24', '172.17.0.0/16', '127.0.0.1/32'])
  assert.deepEqual(parseRoutes(''), [])
})

test('this machine has cores and memory', async () => {
  const { cpuUnits, memoryBytes } = await readMachineFacts()
  assert.ok(cpuUnits >= 1024 && cpuUnits % 1024 === 0)
  assert.ok(memoryBytes > 2 ** 27)
})
