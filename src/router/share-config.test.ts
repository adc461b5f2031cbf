import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertGolden } from '../../test/support/golden.ts'
import type { ShareEntrance } from '../domain/share.ts'
import { pemBlock } from '../lib/x509/pem.ts'
import { renderTable } from './haproxy-config.ts'
import { checkTable } from './check-table.ts'
import { withoutPorts, type Backend, type RouteTable, type Way } from './route-table.ts'
import { isGoneBackend, withEntrance, withWays } from './share-table.ts'
import { sharesOf, usualPatience } from './shares.ts'

const settings = {
  directory: '/var/lib/rack/main/router',
  hardStopAfterMs: 21_600_000,
  trustedProxies: [],
  shares: sharesOf(8000),
  patience: usualPatience,
  shown: null,
  canHold: true,
}
const signer = (name: string) => pemBlock('CERTIFICATE', Buffer.from(name))
const certified = (name: string) => signer(name) + pemBlock('PRIVATE KEY', Buffer.from(name))
const entrance: ShareEntrance = {
  bind: '0.0.0.0',
  port: 7443,
  certificate: certified('entrance'),
  authority: signer('authority'),
  revoked: pemBlock('X509 CRL', Buffer.from('list')),
}
const times = { intervalMs: 1000, timeoutMs: 1000, rise: 1, fall: 1, drainMs: 1000 }
const servers = [{ process: 'PAAAAAAAAAA', release: 'VAAAAAAAAAA', address: '10.0.1.2', port: 5432 }]
const backend: Backend = { check: { kind: 'none' }, ...times, idleTimeoutMs: 86_400_000, servers }
const share = (id: string, allow: string[]) => ({ id, allow, type: 'postgres', port: 5432, backend })
const way = (id: string, host: string): Way => ({
  owner: 'shop',
  id,
  address: '198.19.0.2',
  port: 5432,
  subnet: '10.0.7.0/24',
  end: { id: 'SCCCCCCCCCC', host, port: 7443, authority: signer('theirs'), certificate: certified('ours') },
})
const empty: RouteTable = { httpBind: '0.0.0.0', httpPort: 80, apps: [] }
const shared = (...shares: ReturnType<typeof share>[]): RouteTable => ({
  ...empty,
  apps: [{ app: '_main', http: [], tcp: [], shares }],
})

test('the configuration of what is shared, and of what others share', () => {
  const open = withEntrance(
    shared(share('SAAAAAAAAAA', []), share('SBBBBBBBBBB', ['192.0.2.0/24'])),
    entrance,
  )
  const ways = [way('VAAAAAAAAAA', 'office.example.com'), { ...way('VBBBBBBBBBB', '192.0.2.7'), port: 6379 }]
  const { config, keys } = renderTable(withWays(open, 'shop', ways), settings)
  assertGolden('router/shared.cfg', config)
  assert.deepEqual(
    keys.map(({ text }) => text),
    [entrance.certificate, entrance.authority, entrance.revoked, signer('theirs'), certified('ours')],
  )
})

test('who may come in to nothing is turned away before it is talked to', () => {
  const rule = 'tcp-request connection reject unless from-anywhere-allowed'
  const configOf = (...lists: string[][]) => {
    const shares = lists.map((allow, at) => share(`SAAAAAAAAA${'ABC'[at]}`, allow))
    return renderTable(withEntrance(shared(...shares), entrance), settings).config
  }
  assert.ok(configOf(['192.0.2.0/24'], ['10.0.0.0/8']).includes(rule))
  assert.ok(!configOf(['192.0.2.0/24'], []).includes(rule))
})

test('another list of what was taken back is another structure, and without a share nothing listens', () => {
  const table = withEntrance(shared(share('SAAAAAAAAAA', [])), entrance)
  const structureOf = (each: RouteTable) => renderTable(each, settings).structure
  const revoked = pemBlock('X509 CRL', Buffer.from('other'))
  assert.notEqual(structureOf(table), structureOf(withEntrance(table, { ...entrance, revoked })))
  assert.ok(!renderTable(withEntrance(table, null), settings).config.includes('frontend shares'))
  assert.ok(!renderTable(withoutPorts(table, [7443]), settings).config.includes('frontend shares'))
})

test('a share or way that is in the table no more is known by its name', () => {
  const table = withWays(shared(share('SAAAAAAAAAA', [])), 'shop', [way('VAAAAAAAAAA', '192.0.2.7')])
  const isGone = isGoneBackend(table)
  const names = ['_main.share.SAAAAAAAAAA', 'shop.way.VAAAAAAAAAA', '_main.share.SBBBBBBBBBB', 'shop.way.VZ']
  assert.deepEqual(names.map(isGone), [false, false, true, true])
  assert.ok(!isGone('shop.http.3000.web') && !isGone('rack-apps'))
})

test('what would break out of its line is refused, and so is a port that an app has', () => {
  const bad = [
    shared(share('S\n', [])),
    shared(share('SAAAAAAAAAA', ['anywhere'])),
    { ...empty, ways: [way('VAAAAAAAAAA', 'a b')] },
    { ...empty, ways: [{ ...way('VAAAAAAAAAA', 'a'), subnet: 'x' }] },
    { ...empty, entrance: { ...entrance, bind: 'x' } },
  ]
  for (const table of bad) assert.throws(() => checkTable(table), { code: 'invalid' })
  const tcp = [
    { type: 'db', port: 1, bind: '0.0.0.0', listenPort: 7443, backend: { ...backend, servers: [] } },
  ]
  const taken = { ...empty, apps: [{ app: 'shop', http: [], tcp }] }
  assert.throws(() => withEntrance(taken, entrance), { code: 'port-taken', message: /held by .*shop/ })
  assert.throws(() => checkTable({ ...taken, entrance }), {
    code: 'port-taken',
    message: /entrance for other racks/,
  })
})

test('what is no certificate, key or list is refused before HAProxy refuses every app for it, and is not told', () => {
  const [certificate, key] = [signer('x'), pemBlock('PRIVATE KEY', Buffer.from('x'))]
  const secret = { code: 'invalid', message: /^(?![^]*PRIVATE)/ }
  for (const wrong of [
    '',
    'text',
    certificate,
    key,
    `${key}${certificate}`,
    `${certificate}${key}more`,
    certified('x').trim(),
  ]) {
    assert.throws(() => withEntrance(empty, { ...entrance, certificate: wrong }), secret)
    const theirs = way('VAAAAAAAAAA', 'office.example.com')
    const end = { ...theirs.end, certificate: wrong }
    assert.throws(() => withWays(empty, 'shop', [{ ...theirs, end }]), secret)
  }
  assert.throws(() => withEntrance(empty, { ...entrance, revoked: certificate }), secret)
  assert.throws(() => withEntrance(empty, { ...entrance, authority: certified('x') }), secret)
})
