import assert from 'node:assert/strict'
import { test } from 'node:test'
import { planOf, processPlan, servesHttp } from '../../../../test/support/plans.ts'
import type { PortProtocol } from '../../../domain/port.ts'
import { plainRouting } from '../../../domain/routing.ts'
import { crowdedGroup, openPortsOf } from './open-ports.ts'

const port = (external: number, protocol: PortProtocol) => ({
  external,
  container: external,
  protocol,
  proxy: false as const,
  secure: false,
})

test('each port is open for everybody or for whom it is said, and those of the web are not among them', () => {
  const dns = processPlan({ type: 'dns', ports: [port(53, 'udp'), port(853, 'tls')] })
  const routing = { ...plainRouting, allow: ['10.9.8.7/8', '10.0.0.0/8', '192.0.2.1', '2001:db8::/32'] }
  const db = processPlan({ type: 'db', ports: [port(5432, 'tcp')], routing })
  const web = processPlan({ ...servesHttp(8080, ['a.test']), routing })
  const plan = planOf([dns, db, web])
  const told = (plans: (typeof plan)[]) =>
    openPortsOf(plans).map(({ protocol, port: number, range }) => `${protocol} ${number} ${range}`)
  assert.deepEqual(told([plan]), [
    'tcp 5432 10.0.0.0/8',
    'tcp 5432 192.0.2.1/32',
    'tcp 5432 2001:db8::/32',
    'tcp 853 0.0.0.0/0',
    'udp 53 0.0.0.0/0',
  ])
  assert.deepEqual(told([planOf([dns]), planOf([db])]), told([plan]), 'of several plans together')
  assert.deepEqual(told([planOf([web])]), [])
})

test('more rules than a security group holds are told before anything is made', () => {
  const ranges = (count: number) => Array.from({ length: count }, (_each, index) => `10.${index}.0.0/16`)
  const wanted = (allow: string[]) =>
    openPortsOf([planOf([processPlan({ ports: [port(5432, 'tcp')], routing: { ...plainRouting, allow } })])])
  const others = [
    { Rules: '30', RulesOfIpv6: '60' },
    { Rules: '25', RulesOfIpv6: '0' },
  ]
  assert.equal(crowdedGroup(wanted(ranges(5)), others), null)
  const crowded = crowdedGroup(wanted(ranges(6)), others)
  assert.equal(crowded?.code, 'capacity')
  assert.match(crowded.message, /has 55 of 60 rules of IPv4, and this app needs 6/)
  assert.match(crowdedGroup(wanted(['2001:db8::/32']), others)!.message, /60 of 60 rules of IPv6/)
})
