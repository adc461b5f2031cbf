import assert from 'node:assert/strict'
import { test } from 'node:test'
import { typeCommand } from '../../test/support/type-command.ts'
import { accountUrl, isAccountUrl, readAccountUrl, serverOf } from './account-way.ts'

test('the address of a rack in an account is its Region and its name', () => {
  const address = { region: 'eu-west-1', rack: 'shop' }
  assert.deepEqual(readAccountUrl(accountUrl(address)), address)
  assert.ok(isAccountUrl('AWS://eu-west-1/shop') && !isAccountUrl('https://aws.example.com'))
  for (const url of [
    'aws://eu-west-1',
    'aws://eu-west-1/',
    'aws:///shop',
    'aws://eu-west-1/a/b',
    'aws://a@b/shop',
  ])
    assert.throws(() => readAccountUrl(url), { code: 'usage', hint: /aws:\/\/eu-west-1\/rack/ }, url)
})

test('it is called where its login found it, by its own name and its one certificate', () => {
  const url = 'aws://eu-west-1/shop'
  const account = {
    id: '123456789012',
    region: 'eu-west-1',
    rack: 'shop',
    apiHost: 'api.shop.internal',
    balancer: 'web.elb.amazonaws.com',
  }
  const pin = { fingerprint: 'AB', certificate: 'PEM' }
  assert.deepEqual(serverOf({ url, pin, account }), {
    address: url,
    name: account.apiHost,
    host: account.balancer,
    port: 443,
    certificate: 'PEM',
  })
})

test('an address alone, as of RACK_URL, leads nowhere: whom to believe is not known', async () => {
  const env = { RACK_URL: 'aws://eu-west-1/shop', RACK_TOKEN: 'rack_secret' }
  const { code, stderr } = await typeCommand(['apps'], { rack: {}, env })
  assert.equal(code, 2)
  assert.match(stderr, /^error: where aws:\/\/eu-west-1\/shop is, .*\n→ rack login aws:\/\/eu-west-1\/shop$/m)
})
