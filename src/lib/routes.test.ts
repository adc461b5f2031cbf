import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatCidr, parseCidr } from './cidr.ts'
import { parseDevices, parseRoutes } from './routes.ts'

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

test('the interfaces that lead into a network, and not beyond it', () => {
  const into = (network: string) => parseDevices(table, parseCidr(network)!)
  assert.deepEqual(into('10.213.0.0/16'), ['br-1'])
  assert.deepEqual(into('10.213.0.0/24'), ['br-1'])
  assert.deepEqual(into('172.17.4.0/24'), [], 'docker0 leads to others too')
  assert.deepEqual(into('172.0.0.0/8'), ['docker0'])
})
