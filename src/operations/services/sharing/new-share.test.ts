import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freeConsumer, wantedShare } from './new-share.ts'

const now = new Date('2026-11-30T00:00:00Z')
const here = { host: 'localhost', port: 7443 }

test('an address may be a name, either kind of address, and any of them with a port', () => {
  const places: [string, string][] = [
    ['office.example.com', 'office.example.com:7443'],
    ['office:8443', 'office:8443'],
    ['192.0.2.7', '192.0.2.7:7443'],
    ['2001:db8::1', '[2001:db8::1]:7443'],
    ['[2001:db8::1]:9', '[2001:db8::1]:9'],
  ]
  for (const [address, text] of places) assert.equal(wantedShare({ address }, here, now).address, text)
})

test('a rack that knows no address of its own says so', () => {
  const wanted = wantedShare({}, here, now)
  assert.equal(wanted.address, 'localhost:7443')
  assert.match(wanted.warning ?? '', /--address HOST/)
  assert.equal(wantedShare({ address: 'localhost' }, here, now).warning, null, 'somebody has said it')
})

test('what cannot be is refused with what can', () => {
  const wrong = [
    { consumer: 'Office' },
    { consumer: 'a b' },
    { allow: ['10.0.0.0/8', 'anywhere'] },
    { allow: ['10.0.0.0/33'] },
    { address: 'http://office' },
    { address: 'office:0' },
    { address: 'office:70000' },
    { address: '' },
    { expires: 'tomorrow' },
    { expires: '5s' },
    { expires: '9000d' },
  ]
  for (const asked of wrong) {
    assert.throws(
      () => wantedShare(asked, here, now),
      (error: { code: string; hint: string }) => error.code === 'invalid' && error.hint !== '',
      JSON.stringify(asked),
    )
  }
})

test('a share ends when its time is over, and has a name that none has had', () => {
  assert.equal(wantedShare({ expires: '30d' }, here, now).expires?.toISOString(), '2026-12-30T00:00:00.000Z')
  assert.equal(freeConsumer([]), 'rack-1')
})
