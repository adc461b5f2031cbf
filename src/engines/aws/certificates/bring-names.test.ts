import assert from 'node:assert/strict'
import { test } from 'node:test'
import { planOf, processPlan, servesHttp } from '../../../../test/support/plans.ts'
import { appOwner } from '../../../domain/owner.ts'
import { namesToProve } from './bring-names.ts'
import { zoneOf } from './public-records.ts'

const domain = (name: string, process: string | null = null, app = 'shop') => ({
  name,
  app,
  process,
  since: '2026-01-01T00:00:00Z',
})

test('names that the certificate of the rack does not prove need one: domains, and what is two labels below', () => {
  const web = processPlan(servesHttp(8080, ['shop.rack.test']))
  const admin = processPlan({ ...servesHttp(8080, ['admin.shop.rack.test']), type: 'admin' })
  const plan = planOf([web, admin], { owner: appOwner('shop') })
  const names = (...domains: ReturnType<typeof domain>[]) =>
    namesToProve({ domain: 'rack.test', domains: { current: () => domains } }, [plan]).web
  assert.deepEqual(names(), ['*.shop.rack.test'])
  assert.deepEqual(names(domain('www.rack.test')), ['*.shop.rack.test'])
  assert.deepEqual(names(domain('a.test'), domain('*.b.test', 'admin'), domain('c.test', null, 'other')), [
    '*.b.test',
    '*.shop.rack.test',
    'a.test',
  ])
  assert.deepEqual(names(domain('a.test', 'worker')), ['*.shop.rack.test'], 'a process that serves no web')
})

test('a domain on ports of tls needs one there: of a process that it names, or where no other serves', () => {
  const port = (external: number) => ({
    external,
    container: external,
    protocol: 'tls' as const,
    proxy: false as const,
    secure: false,
  })
  const raw = processPlan({ type: 'raw', ports: [port(853), port(5223)] })
  const web = processPlan(servesHttp(8080, ['shop.rack.test']))
  const domains = [domain('a.test'), domain('b.test', 'raw'), domain('c.rack.test', 'raw')]
  const names = (...processes: ReturnType<typeof processPlan>[]) => {
    const parts = { domain: 'rack.test', domains: { current: () => domains } }
    const { web, tls } = namesToProve(parts, [planOf(processes, { owner: appOwner('shop') })])
    return { web, tls: Object.fromEntries(tls) }
  }
  const alone = ['a.test', 'b.test']
  assert.deepEqual(names(raw), { web: [], tls: { 853: alone, 5223: alone } })
  assert.deepEqual(names(web, raw), { web: ['a.test'], tls: { 853: ['b.test'], 5223: ['b.test'] } })
})

test('the zone of a name is that of its longest end', () => {
  const zones = ['test.', 'example.test.', 'ple.test.'].map((Name) => ({
    Id: Name,
    Name,
    CallerReference: '',
  }))
  assert.equal(zoneOf('_a.www.example.test', zones)?.Id, 'example.test.')
  assert.equal(zoneOf('example.test', zones)?.Id, 'example.test.')
  assert.equal(zoneOf('example.org', zones), null)
})
