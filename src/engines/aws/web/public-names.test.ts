import assert from 'node:assert/strict'
import { test } from 'node:test'
import { webBalancerPrefix } from '../../../aws/web-balancer.ts'
import { appOwner } from '../../../domain/owner.ts'
import type { AwsParts } from '../parts.ts'
import { isGivenAway, nameChanges, nameShortage, publicNamesOf, type PublicSets } from './public-names.ts'

const listeners = { http: 'arn:http', https: null }
const balancers = [
  { number: 1, arn: 'arn:1', host: 'first.elb.test', listeners },
  { number: 2, arn: 'arn:2', host: 'Second.elb.test', listeners },
]

const cname = (name: string, value: string) => ({
  name,
  set: { Name: `${name}.`, Type: 'CNAME' as const, TTL: 60, ResourceRecords: [{ Value: `${value}.` }] },
})

const changesOf = (sets: PublicSets, wanted: Record<string, string>, isOurs = (_name: string) => true) => {
  const found = nameChanges('r1', sets, { wanted: new Map(Object.entries(wanted)), balancers, isOurs })
  const said = found.changes.map(({ Action, ResourceRecordSet: set }) => `${Action} ${set!.Name}`)
  return [...said, ...found.foreign.map((name) => `foreign ${name}`)]
}

test('an app has its own name and all below it, and its domains below that of the rack', () => {
  const since = '2026-01-01T00:00:00Z'
  const names = ['www.rack.test', 'www.example.test', 'rack.test.example']
  const current = () => names.map((name) => ({ name, app: 'shop', process: null, since }))
  const parts = { domain: 'rack.test', domains: { current } }
  assert.deepEqual(publicNamesOf(parts, appOwner('shop')), [
    'shop.rack.test',
    '*.shop.rack.test',
    'www.rack.test',
  ])
  assert.deepEqual(publicNamesOf(parts, appOwner('blog')), ['blog.rack.test', '*.blog.rack.test'])
  assert.deepEqual(publicNamesOf(parts, { kind: 'service', name: 'shop' }), [])
})

test('what is so is not written, what led to the first balancer is led on, and what is nobody’s goes', () => {
  const host = 'Second.elb.test'
  assert.deepEqual(changesOf([], { 'a.test': host }), ['UPSERT a.test'])
  assert.deepEqual(changesOf([cname('a.test', 'second.elb.test')], { 'a.test': host }), [])
  assert.deepEqual(changesOf([cname('a.test', 'first.elb.test')], { 'a.test': host }), ['UPSERT a.test'])
  const gone = `${webBalancerPrefix('r1')}3-12345.eu-west-1.elb.amazonaws.com`
  assert.deepEqual(changesOf([cname('a.test', gone)], { 'a.test': host }), ['UPSERT a.test'])
  assert.deepEqual(changesOf([cname('a.test', gone)], {}), ['DELETE a.test.'])
  const left = [cname('b.test', 'second.elb.test'), cname('*.test', 'first.elb.test')]
  assert.deepEqual(changesOf(left, {}), ['DELETE b.test.'])
  assert.deepEqual(
    changesOf(left, {}, () => false),
    [],
  )
})

test('a name that somebody leads elsewhere is left as it is, and told', () => {
  const address = { name: 'a.test', set: { Name: 'a.test.', Type: 'A' as const, TTL: 60 } }
  const wanted = { 'a.test': 'second.elb.test', 'b.test': 'second.elb.test' }
  assert.deepEqual(changesOf([address, cname('b.test', 'elsewhere.test')], wanted), [
    'foreign a.test',
    'foreign b.test',
  ])
})

test('a zone that leaves the domain of the rack to other servers does not answer for it', () => {
  const ns = { name: 'apps.example.test', set: { Name: 'apps.example.test.', Type: 'NS' as const } }
  const isGiven = (zone: string, sets: PublicSets) =>
    isGivenAway({ zone: { Name: zone }, sets }, 'apps.example.test')
  assert.deepEqual(
    [isGiven('example.test.', [ns]), isGiven('example.test.', []), isGiven('apps.example.test.', [ns])],
    [true, false, false],
  )
})

test('a rack without a domain of its owner’s is told to have one, and no zone to make', async () => {
  const zones = { listHostedZones: async () => ({ HostedZones: [{ Id: 'Z', Name: 'r1.internal.' }] }) }
  const [balancer] = balancers
  const places = { account: '123456789012', balancer }
  const parts = {
    rack: 'r1',
    domain: 'r1.internal',
    domains: { current: () => [] },
    clients: { zones },
    places,
  }
  const asked = { owner: appOwner('shop'), balancers }
  const { signal } = new AbortController()
  const shortage = await nameShortage(parts as unknown as AwsParts, asked, { signal })
  assert.equal(shortage?.code, 'capacity')
  assert.match(shortage.hint!, /, or make another rack .*: rack install aws --domain DOMAIN$/)
})
