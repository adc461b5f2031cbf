import assert from 'node:assert/strict'
import { test } from 'node:test'
import { planOf, processPlan, servesHttp } from '../../../test/support/plans.ts'
import { appOwner } from '../../domain/owner.ts'
import type { ProcessPlan } from '../../domain/plan.ts'
import type { PortProtocol } from '../../domain/port.ts'
import { plainRouting } from '../../domain/routing.ts'
import { ledWays, nameObstacles, unservedPorts } from './obstacles.ts'

test('a port that the network balancer is not told how to serve is refused before anything is touched', () => {
  const port = (protocol: PortProtocol, external: number | null) => ({
    external,
    container: 9000,
    protocol,
    proxy: false as const,
    secure: false,
  })
  const balancer = (https: string | null) => ({ balancer: { listeners: { http: 'http', https } } })
  const said = (
    protocol: PortProtocol,
    external: number | null = 9000,
    { https = null, ...more }: Partial<ProcessPlan> & { https?: string | null } = {},
  ) =>
    unservedPorts(planOf([processPlan({ ports: [port(protocol, external)], ...more })]), balancer(https)).map(
      ({ code, message }) => `${code}: ${message}`,
    )
  assert.deepEqual([said('http'), said('tcp'), said('udp', null)], [[], [], []])
  assert.deepEqual(said('udp'), [
    'unsupported: a rack in an AWS account cannot serve web on udp 9000: a network load balancer probes a process by tcp',
  ])
  const { health } = processPlan()
  const probed = { health: { ...health, port: 9001 } }
  assert.deepEqual(said('udp', 9000, probed), [])
  const beside = { ...probed, ports: [port('udp', 53), { ...port('tcp', 53), container: 53 }] }
  assert.match(
    said('udp', 53, beside).join(),
    /web on udp 53: a network load balancer has one listener a port/,
  )
  assert.match(said('tls').join(), /the rack was installed without a domain and its certificate/)
  assert.deepEqual(said('tls', 9000, { https: 'arn' }), [])
  const sticky = { ...plainRouting, sticky: { by: 'source' as const } }
  assert.match(said('tls', 9000, { https: 'arn', routing: sticky }).join(), /ends TLS knows no client again/)
  const routing = { ...plainRouting, allow: ['203.0.113.0/24'] }
  assert.deepEqual(said('http', 80, { routing }), [])
  assert.deepEqual(said('tcp', 9000, { routing }), [])
  const ports = [{ ...port('http', 80), upstream: 'h2c' as const }]
  assert.match(said('http', 80, { ports }).join(), /HTTP\/1\.1/)
})

test('names that no four rules hold are told, domains among them', () => {
  const routing = { ...plainRouting, allow: Array.from({ length: 12 }, (_each, at) => `10.${at}.0.0/16`) }
  const web = processPlan({ ...servesHttp(8080, ['web.rack.test']), routing })
  const plan = planOf([web, processPlan({ type: 'worker' })], { owner: appOwner('shop') })
  const domains = (...names: string[]) =>
    names.map((name) => ({ name, app: 'shop', process: null, since: '2026-01-01T00:00:00Z' }))
  assert.deepEqual(nameObstacles(plan, domains('a.test')), [])
  const [obstacle] = nameObstacles(plan, domains('a.test', 'b.test'))
  assert.match(obstacle!.message, /^web needs 8 rules of the balancer for 3 names and 12 ranges/)
})

test('where the ways in of a plan lead: its ports, and its host names by rules that are live', () => {
  const port = {
    external: 9000,
    container: 9000,
    protocol: 'tcp' as const,
    proxy: false as const,
    secure: false,
  }
  const plan = planOf([
    processPlan(servesHttp(8080, ['a.test', 'b.test'])),
    processPlan({ type: 'db', ports: [port] }),
  ])
  const rule = (priority: number, Values: string[], group: string) => ({
    arn: '',
    priority,
    groups: [{ arn: group, weight: 1 }],
    conditions: [{ Field: 'host-header', HostHeaderConfig: { Values } }],
  })
  const listeners = [
    { arn: '', port: 9000, protocol: 'TCP' as const, group: 'one', policy: null },
    { arn: '', port: 9001, protocol: 'TCP' as const, group: 'two', policy: null },
    { arn: '', port: 60_100, protocol: 'TCP' as const, group: 'three', policy: null },
  ]
  const rules = [
    rule(2, ['b.test', 'c.test'], 'four'),
    rule(30_000, ['a.test'], 'five'),
    rule(3, ['c.test'], 'six'),
  ]
  assert.deepEqual(ledWays(plan, { listeners, rules }), [
    { what: 'port 9000', group: 'one' },
    { what: 'b.test', group: 'four' },
  ])
})
