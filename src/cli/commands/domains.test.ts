import assert from 'node:assert/strict'
import { test } from 'node:test'
import { accountEngine } from '../../domain/aws-places.ts'
import { exampleRack } from '../../../test/support/scripted-operations.ts'
import { typeCommand } from '../../../test/support/type-command.ts'

test('domains are added to an app, listed, and removed by their name alone', async () => {
  const given: unknown[] = []
  const domain = { name: 'shop.example.com', app: 'shop', process: null, since: '2026-11-29T00:00:00.000Z' }
  const rack = {
    listDomains: async () => [domain],
    addDomain: async (app: string, wanted: { name: string; process: string | null }) => {
      given.push([app, wanted])
      return { ...domain, ...wanted }
    },
    removeDomain: async (app: string, name: string) => void given.push([app, name]),
  }
  const added = await typeCommand(
    ['domains', 'add', 'Shop.Example.com.', '--app', 'shop', '--process', 'api'],
    { rack },
  )
  assert.deepEqual([added.code, added.stderr], [0, 'shop.example.com leads to api of shop\n'])
  const listed = await typeCommand(['domains'], { rack })
  assert.match(listed.stdout, /^shop\.example\.com +shop +\(main\) /m)
  const removed = await typeCommand(['domains', 'remove', 'SHOP.example.com', '--yes'], { rack })
  assert.equal(removed.code, 0)
  assert.deepEqual(given, [
    ['shop', { name: 'shop.example.com', process: 'api' }],
    ['shop', 'shop.example.com'],
  ])
  const other = await typeCommand(['domains', 'remove', 'other.example.com', '--yes'], { rack })
  assert.deepEqual([other.code, given.length], [1, 2])
  const wrong = await typeCommand(['domains', 'add', 'https://shop.example.com', '--app', 'shop'], { rack })
  assert.match(wrong.stderr, /no domain/)
})

test('where the DNS of a domain has to lead in an account is told, and a certificate that is not shown yet, with the record that proves the name', async () => {
  const record = { name: '_a.shop.example.com', type: 'CNAME' as const, value: '_b.acm-validations.aws.' }
  const certificate = { state: 'waiting' as const, reason: 'the record is to be put into its DNS', record }
  const domain = { name: 'shop.example.com', app: 'shop', process: null, since: '2026-11-29T00:00:00.000Z' }
  const balancer = 'web-2.elb.amazonaws.com'
  const rack = {
    listDomains: async () => [{ ...domain, certificate, balancer }],
    addDomain: async () => ({ ...domain, certificate, balancer }),
  }
  const said = [
    'no certificate is shown for shop.example.com yet: the record is to be put into its DNS',
    'put this into its DNS: _a.shop.example.com CNAME _b.acm-validations.aws.',
  ]
  const added = await typeCommand(['domains', 'add', 'shop.example.com', '--app', 'shop'], { rack })
  assert.deepEqual(added.stderr.trim().split('\n').slice(1), [
    'let its DNS lead to web-2.elb.amazonaws.com: a CNAME, or an alias at the top of a zone',
    ...said,
  ])
  const listed = await typeCommand(['domains'], { rack })
  assert.deepEqual(listed.stderr.trim().split('\n'), said)
  assert.match(listed.stdout, /^shop\.example\.com +shop +\(main\) +web-2\.elb\.amazonaws\.com /m)
})

test('which certificates a rack keeps is not asked of one in an account, which shows others', async () => {
  const authority = { certificate: 'PEM', fingerprint: 'F', from: '2026-01-01', until: '2036-01-01' }
  const asked = async (name: string) => {
    const rack = {
      getRack: async () => ({ ...exampleRack, engine: { name, version: '1' } }),
      getAuthority: async () => authority,
      listCertificates: async () => [],
      listDomains: async () => [],
    }
    const { stdout, stderr, requests } = await typeCommand(['domains', 'check', '--json'], { rack })
    assert.equal(stdout, '[]\n', stderr)
    return requests.some((request) => request.endsWith('/certificates'))
  }
  assert.deepEqual([await asked('docker'), await asked(accountEngine)], [true, false])
})
