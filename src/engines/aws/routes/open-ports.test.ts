import assert from 'node:assert/strict'
import { test } from 'node:test'
import { planOf, processPlan, servesHttp } from '../../../../test/support/plans.ts'
import type { PortProtocol } from '../../../domain/port.ts'
import { plainRouting } from '../../../domain/routing.ts'
import { keyOf } from '../definition/ports-template.ts'
import { crowdedGroup, openBetween, openElsewhere, openPortsOf } from './open-ports.ts'

const port = (external: number, protocol: PortProtocol) => ({
  external,
  container: external,
  protocol,
  proxy: false as const,
  secure: false,
})

test('each port is open for everybody or for whom it is said, and those of the web are not among them', () => {
  const dns = processPlan({ type: 'dns', ports: [port(53, 'udp'), port(853, 'tls')] })
  const routing = {
    ...plainRouting,
    allow: ['10.9.8.7/8', '10.0.0.0/8', '192.0.2.1', '2001:db8::/32', '2001:DB8:0::/32'],
  }
  const db = processPlan({ type: 'db', ports: [port(5432, 'tcp')], routing })
  const web = processPlan({ ...servesHttp(8080, ['a.test']), routing })
  const plan = planOf([dns, db, web])
  assert.deepEqual(openPortsOf(plan).map(keyOf), [
    'tcp 5432 10.0.0.0/8',
    'tcp 5432 192.0.2.1/32',
    'tcp 853 0.0.0.0/0',
    'udp 53 0.0.0.0/0',
  ])
  assert.deepEqual(openPortsOf(planOf([web])), [])
})

/** Ports `from` on, each for these ranges. */
function opening(allow: string[], { from = 5432, count = 1 } = {}) {
  const ports = Array.from({ length: count }, (_each, index) => port(from + index, 'tcp'))
  return openPortsOf(planOf([processPlan({ ports, routing: { ...plainRouting, allow } })]))
}

test('while a release takes over, a port of both lets in nobody whom one of them does not', () => {
  const between = (before: string[], next: string[]) =>
    openBetween(opening(before), opening(next)).map(({ range }) => range)
  assert.deepEqual(between(['0.0.0.0/0'], ['10.0.0.0/8', '192.0.2.1']), ['10.0.0.0/8', '192.0.2.1/32'])
  assert.deepEqual(between(['10.0.0.0/8', '192.0.2.1'], ['10.1.0.0/16', '192.0.2.0/24']), [
    '10.1.0.0/16',
    '192.0.2.1/32',
  ])
  assert.deepEqual(between(['10.0.0.0/8'], ['11.0.0.0/8']), [])
  const others = openBetween(opening(['10.0.0.0/8']), opening(['11.0.0.0/8'], { from: 25 }))
  assert.deepEqual(others.map(keyOf), ['tcp 25 11.0.0.0/8', 'tcp 5432 10.0.0.0/8'])
})

test('more rules than a security group holds at once are told before anything is made', () => {
  const ranges = (count: number, first = 10) =>
    Array.from({ length: count }, (_each, index) => `${first}.${index}.0.0/16`)
  const others = ['30', '25'].map((Rules) => ({ outputs: { Rules } }))
  const crowded = (before: string[], next: string[]) =>
    crowdedGroup({ before: opening(before), next: opening(next) }, others)
  assert.equal(crowded([], ranges(5)), null)
  assert.equal(crowded([], ranges(6))?.code, 'capacity')
  assert.match(crowded([], ranges(6))!.message, /has 55 of 60 rules, and this app needs 6/)
  assert.equal(crowded(ranges(5), ranges(5, 11)), null, 'those of before are closed first')
  assert.match(crowded(['0.0.0.0/0'], ranges(5))!.message, /needs 6 while it changes/)
})

test('a port that is open for another is not opened', () => {
  const others = [
    { word: 'shop', outputs: { Ports: '25,5432' } },
    { word: '0s-main', outputs: { Ports: '53' } },
  ]
  const taken = (from: number) => openElsewhere(opening(['10.0.0.0/8'], { from }), others)
  assert.equal(taken(543), null)
  assert.equal(taken(5432)?.code, 'port-taken')
  assert.match(taken(5432)!.message, /^port 5432 is open for .*shop/)
  assert.match(taken(53)!.message, /^port 53 is open for .*main/)
})
