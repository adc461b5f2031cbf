import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connectionsTo, flowsTo, gatewayOf } from './inside-connections.ts'

const head =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode'
const socket = (local: string, remote: string, state: string) =>
  `   0: ${local} ${remote} ${state} 00000000:00000000`
const listens = socket('00000000:0BB8', '00000000:0000', '0A')
const [own, other] = ['0200D50A', '0300D50A']

test('connections of others to a port that is listened at are counted, over either family', () => {
  const mapped = '0000000000000000FFFF0000'
  const inward = [
    socket(`${own}:0BB8`, `${other}:A001`, '01'),
    socket(`${mapped}${own}:0BB8`, `${mapped}${other}:A002`, '01'),
  ]
  assert.equal(connectionsTo([head, listens, ...inward].join('\n'), null), 2)
})

test('what a process has opened itself, or has ended, or calls itself by is nobody who would be cut off', () => {
  const rest = [
    socket(`${own}:C001`, `${other}:1538`, '01'),
    socket(`${own}:0BB8`, `${other}:A001`, '06'),
    socket('0100007F:0BB8', '0100007F:A003', '01'),
  ]
  assert.equal(connectionsTo([head, listens, ...rest].join('\n'), null), 0)
  assert.equal(connectionsTo('', null), 0)
})

test('the router comes from the gateway, and ends its connections itself', () => {
  const routes = [
    'Iface\tDestination\tGateway \tFlags',
    'eth0\t00000000\t0100D50A\t0003',
    'eth0\t0000D50A\t00000000\t0001',
  ].join('\n')
  assert.equal(gatewayOf(routes), '0100D50A')
  assert.equal(gatewayOf('Iface\tDestination\tGateway \tFlags\n'), null)
  const router = socket(`0000000000000000FFFF0000${own}:0BB8`, '0000000000000000FFFF00000100D50A:A004', '01')
  assert.equal(connectionsTo([head, listens, router].join('\n'), '0100D50A'), 0)
})

test('flows of datagrams that a copy answers are counted, whoever they came from', () => {
  const flow = (transport: string, answerer: string) =>
    `ipv4     2 ${transport}      17 29 src=192.0.2.7 dst=192.0.2.1 sport=4000 dport=53 ` +
    `src=${answerer} dst=192.0.2.7 sport=5353 dport=4000 mark=0 zone=0 use=2`
  const table = [
    flow('udp', '10.213.4.2'),
    flow('udp', '10.213.4.2').replace(' src=10', ' zone-orig=4168 [UNREPLIED] src=10'),
    flow('udp', '10.213.4.20'),
    flow('tcp', '10.213.4.2'),
    'ipv4     2 udp      17 9 src=10.213.4.2 dst=192.0.2.1 sport=1 dport=53 src=192.0.2.1 dst=10.213.4.2 sport=53 dport=1 use=2',
  ]
  assert.equal(flowsTo(table.join('\n'), '10.213.4.2'), 2)
  assert.equal(flowsTo('', '10.213.4.2'), 0)
  assert.equal(flowsTo(null, '10.213.4.2'), null, 'nobody knows')
})
