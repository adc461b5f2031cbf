import assert from 'node:assert/strict'
import { test } from 'node:test'
import { planOf, processPlan, servesHttp } from '../../../../test/support/plans.ts'
import type { ProcessPlan } from '../../../domain/plan.ts'
import type { Port } from '../../../domain/port.ts'
import type { Routing } from '../../../domain/routing.ts'
import { checkTable } from '../../../router/check-table.ts'
import type { AppRoutes } from '../../../router/route-table.ts'
import { appRoutes, withoutStrangers } from './app-routes.ts'

const place = { tcpBind: '0.0.0.0', domain: 'localhost' }
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
const copy = (type: string, processId: string) => ({
  type,
  process: processId,
  release: 'RA',
  address: '10.1.0.2',
})

test('http and tcp ports become routes that the router takes', () => {
  const routes = appRoutes(
    planOf([web, mqtt]),
    [copy('web', 'PB'), copy('web', 'PA'), copy('mqtt', 'PC')],
    place,
  )
  assert.ok(routes)
  checkTable({ httpBind: '0.0.0.0', httpPort: 80, apps: [routes] })
  assert.deepEqual(routes.http[0]?.backend.check, { kind: 'http', path: '/up' })
  assert.deepEqual(
    routes.http[0]?.backend.servers.map(({ process: processId, port }) => [processId, port]),
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
  const port = {
    external: 1883,
    container: 1883,
    protocol: 'tcp' as const,
    proxy: 'v1' as const,
    secure: true,
  }
  const routes = appRoutes(planOf([{ ...web, routing, ports: [...web.ports, port] }]), [], place)
  const [http, tcp] = [routes?.http[0]?.backend, routes?.tcp[0]?.backend]
  assert.deepEqual([http?.sticky, http?.idleTimeoutMs, http?.allowedSources], [{ by: 'uri' }, 5000, ['::1']])
  assert.equal(http?.passes?.digests.length, 1)
  assert.deepEqual([http?.sendsProxy, tcp?.sendsProxy, tcp?.isSecure], [undefined, true, true])
  assert.deepEqual([tcp?.sticky, tcp?.passes, tcp?.allowedSources], [undefined, undefined, ['::1']])
  assert.doesNotMatch(JSON.stringify(routes), /not in a file/)
  assert.deepEqual(appRoutes(planOf([{ ...web, routing }]), [], place)?.http[0]?.backend, http)
})

test('an app without external ports has no routes; a type without copies keeps its own', () => {
  assert.equal(appRoutes(planOf([processPlan({ internalPorts: [1] })]), [], place), null)
  assert.deepEqual(appRoutes(planOf([web]), [], place)?.http[0]?.backend.servers, [])
})

/** Who is behind each port of the routes. */
function behind(routes: AppRoutes | null): Record<string, string[]> {
  const all = [...(routes?.http ?? []), ...(routes?.tcp ?? [])]
  return Object.fromEntries(
    all.map(({ port, backend }) => [port, backend.servers.map((server) => server.process)]),
  )
}

/** The routes of a change from one plan to another, with an old copy of each beside a new one. */
function changed(from: ProcessPlan, to: ProcessPlan): Record<string, string[]> {
  const { type } = to
  const before = appRoutes(planOf([from]), [copy(from.type, 'POLD')], place)
  const routes = appRoutes(planOf([to]), [copy(type, 'PNEW'), copy(type, 'POLD')], place)
  return behind(withoutStrangers(routes, before, new Set(['POLD'])))
}

test('old copies stand beside new ones where they are spoken to as before', () => {
  const both = ['PNEW', 'POLD']
  const [port] = mqtt.ports as [Port]
  assert.deepEqual(changed(web, { ...web, hosts: ['new.localhost'] }), { 3000: both })
  assert.deepEqual(changed(web, { ...web, ...servesHttp(4000, web.hosts) }), { 4000: ['PNEW'] })
  assert.deepEqual(changed(mqtt, { ...mqtt, ports: [{ ...port, external: 2883 }] }), { 1883: both })
  assert.deepEqual(changed(mqtt, { ...mqtt, ports: [{ ...port, container: 2883 }] }), { 2883: ['PNEW'] })
  assert.deepEqual(changed(mqtt, { ...mqtt, ports: [{ ...port, proxy: 'v1' as const }] }), { 1883: ['PNEW'] })
  assert.deepEqual(changed(mqtt, { ...mqtt, ports: [{ ...port, secure: true }] }), { 1883: ['PNEW'] })
  assert.deepEqual(changed(mqtt, { ...mqtt, ports: [{ ...port, protocol: 'http' }] }), { 1883: ['PNEW'] })
  const oneMore = { ...port, external: 8883, container: 8883 }
  assert.deepEqual(changed(mqtt, { ...mqtt, ports: [port, oneMore] }), { 1883: both, 8883: ['PNEW'] })
  // What one type spoke says nothing of another.
  assert.deepEqual(changed({ ...web, type: 'site' }, web), { 3000: ['PNEW'] })
})

test('an old copy that no route had before stays out; whoever is not old stands', () => {
  const routes = appRoutes(planOf([web]), [copy('web', 'PNEW'), copy('web', 'POLD')], place)
  assert.deepEqual(behind(withoutStrangers(routes, null, new Set(['POLD']))), { 3000: ['PNEW'] })
  assert.deepEqual(withoutStrangers(routes, null, new Set()), routes)
  assert.equal(withoutStrangers(null, routes, new Set()), null)
})
