import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cidrsOverlap, hostRoutes } from './network.ts'

test("the host's routes, but not the default one", () => {
  const table = `Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
eth0	00000000	010200C0	0003	0	0	0	00000000	0	0	0
docker0	000011AC	00000000	0001	0	0	0	0000FFFF	0	0	0
eth0	000200C0	00000000	0001	0	0	0	00FFFFFF	0	0	0
`
  assert.deepEqual(hostRoutes(table), ['172.17.0.0/16', '192.0.2.0/24'])
})

test('ranges overlap when one holds the other', () => {
  assert.ok(cidrsOverlap('10.213.4.0/24', '10.213.0.0/16'))
  assert.ok(cidrsOverlap('10.0.0.0/8', '10.213.4.0/24'))
  assert.ok(cidrsOverlap('10.213.4.0/24', '10.213.4.128/25'))
  assert.ok(!cidrsOverlap('10.213.4.0/24', '10.213.5.0/24'))
  assert.ok(!cidrsOverlap('192.168.0.0/16', '192.169.0.0/16'))
  assert.ok(!cidrsOverlap('fd00::/8', '10.0.0.0/8'))
})
