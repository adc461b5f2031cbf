import assert from 'node:assert/strict'
import { test } from 'node:test'
import { planOf, processPlan, servesHttp } from '../../../../test/support/plans.ts'
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
