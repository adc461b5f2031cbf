import assert from 'node:assert/strict'
import { test } from 'node:test'
import { planOf, processPlan, servesHttp } from '../../../../test/support/plans.ts'
import type { Routing } from '../../../domain/routing.ts'
import { checkTable } from '../router/route-table.ts'
import { appRoutes, withLeavingRoutes } from './app-routes.ts'

const health = { ...processPlan().health, path: '/up' }
const web = processPlan({
  type: 'web',
  ...servesHttp(3000, ['shop.localhost', 'web.shop.localhost']),
  health,
})
const mqtt = processPlan({
  type: 'mqtt',
  ports: [{ external: 1883, container: 1883, protocol: 'tcp', proxy: false, secure: false }],
})
const servant = (type: string, process: string) => ({ type, process, release: 'RA', address: '10.1.0.2' })

test('http and tcp ports become routes that the router takes', () => {
  const routes = appRoutes(
    planOf([web, mqtt]),
    [servant('web', 'PB'), servant('web', 'PA'), servant('mqtt', 'PC')],
    '0.0.0.0',
  )
  assert.ok(routes)
  checkTable({ httpBind: '0.0.0.0', httpPort: 80, apps: [routes] })
  assert.deepEqual(routes.http[0]?.backend.check, { kind: 'http', path: '/up' })
  assert.deepEqual(
    routes.http[0]?.backend.servers.map(({ process, port }) => [process, port]),
    [
      ['PA', 3000],
      ['PB', 3000],
    ],
  )
  assert.deepEqual([routes.tcp[0]?.listenPort, routes.tcp[0]?.backend.check], [1883, { kind: 'tcp' }])
})

test('labels of the router reach the ports that they can hold for', () => {
  const routing: Routing = {
    sticky: { by: 'uri' },
    idleTimeoutMs: 5000,
    allow: ['::1'],
    auth: [{ user: 'admin', password: 'not in a file' }],
  }
  const port = { external: 1883, container: 1883, protocol: 'tcp' as const, proxy: true, secure: true }
  const routes = appRoutes(planOf([{ ...web, routing, ports: [...web.ports, port] }]), [], '0.0.0.0')
  const [http, tcp] = [routes?.http[0]?.backend, routes?.tcp[0]?.backend]
  assert.deepEqual([http?.sticky, http?.idleTimeoutMs, http?.allowedSources], [{ by: 'uri' }, 5000, ['::1']])
  assert.equal(http?.passes?.digests.length, 1)
  assert.deepEqual([http?.sendsProxy, tcp?.sendsProxy, tcp?.isSecure], [undefined, true, true])
  assert.deepEqual([tcp?.sticky, tcp?.passes, tcp?.allowedSources], [undefined, undefined, ['::1']])
  assert.doesNotMatch(JSON.stringify(routes), /not in a file/)
  assert.deepEqual(appRoutes(planOf([{ ...web, routing }]), [], '0.0.0.0')?.http[0]?.backend, http)
})

test('an app without external ports has no routes; a type without copies keeps its own', () => {
  assert.equal(appRoutes(planOf([processPlan({ internalPorts: [1] })]), [], '0.0.0.0'), null)
  assert.deepEqual(appRoutes(planOf([web]), [], '0.0.0.0')?.http[0]?.backend.servers, [])
})

test('routes of a dropped type stay until its copies have drained, unless they clash', () => {
  const before = appRoutes(planOf([web, mqtt]), [servant('mqtt', 'PC')], '0.0.0.0')
  const after = appRoutes(planOf([web]), [], '0.0.0.0')
  assert.deepEqual(
    withLeavingRoutes(after, before, ['mqtt'])?.tcp.map(({ type }) => type),
    ['mqtt'],
  )
  assert.deepEqual(withLeavingRoutes(after, before, []), after)
  const renamed = appRoutes(planOf([{ ...web, type: 'site' }]), [], '0.0.0.0')
  assert.deepEqual(
    withLeavingRoutes(renamed, before, ['web'])?.http.map(({ type }) => type),
    ['site'],
  )
})
