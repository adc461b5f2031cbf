import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RackError } from '../../../domain/error.ts'
import { createAuthority, issueCertificate } from '../../../lib/x509/issue.ts'
import { pemBlock } from '../../../lib/x509/pem.ts'
import { readShareLine, writeShareLine, type ShareTicket } from './share-line.ts'

const from = new Date('2026-01-01T00:00:00Z')
const until = new Date('2036-01-01T00:00:00Z')
const authority = await createAuthority({ name: 'Rack office shares', from, until })
const made = { authority, names: ['saaaaaaaaaa.shares.internal'], from, until, usages: ['client' as const] }
const [own, other] = [await issueCertificate(made), await issueCertificate(made)]
const end = {
  id: 'SAAAAAAAAAA',
  host: 'db.example.com',
  port: 7443,
  authority: authority.certificate,
  certificate: own.certificate + own.key,
}
const ticket: ShareTicket = {
  service: 'main',
  consumer: 'office',
  expires: null,
  address: {
    scheme: 'postgres',
    host: 'main',
    port: 5432,
    path: '/_office',
    username: '_office_v1',
    password: 'pä/4711',
  },
  end,
}
const line = writeShareLine(ticket)

test('a line says all that the other rack needs, however it was broken on its way', () => {
  assert.match(line, /^rack-share:1:[\w-]+:[0-9a-f]{8}$/)
  assert.deepEqual(readShareLine(line), ticket)
  assert.deepEqual(readShareLine(` ${line.slice(0, 40)}\r\n  ${line.slice(40)}\n`), ticket)
})

test('a line that was cut or changed is known, wherever', () => {
  for (let length = 1; length < line.length; length += 7) {
    assert.throws(() => readShareLine(line.slice(0, length)), { code: 'invalid' }, `${length}`)
  }
  const at = 30
  const other = line[at] === 'A' ? 'B' : 'A'
  assert.throws(
    () => readShareLine(line.slice(0, at) + other + line.slice(at + 1)),
    /was cut, or has been changed/,
  )
})

test('what is no line says so, and repeats nothing of it', () => {
  const refusals: [string, RegExp][] = [
    ['', /there is no line/],
    ['postgres://user:secret-4711@host/db', /no line of rack services share/],
    [line.replace(':1:', ':2:'), /of a newer Rack/],
    [`${line}:more`, /longer than one that was printed/],
    [line + 'a'.repeat(30_000), /longer than one that was printed/],
  ]
  for (const [text, why] of refusals) {
    assert.throws(
      () => readShareLine(text),
      (error: RackError) => why.test(error.message) && !/4711/.test(`${error.message} ${error.hint}`),
      String(why),
    )
  }
})

test('a line that is whole and says what none says is refused, and repeats nothing', () => {
  const { address } = ticket
  const wrong: unknown[] = [
    null,
    [],
    'main',
    {},
    { ...ticket, service: 'main\n' },
    { ...ticket, consumer: undefined },
    { ...ticket, expires: 'never' },
    { ...ticket, expires: 5 },
    { ...ticket, address: null },
    { ...ticket, address: { ...address, port: '5432' } },
    { ...ticket, address: { ...address, scheme: 'postgres://elsewhere' } },
    { ...ticket, address: { ...address, path: 'no-slash' } },
    { ...ticket, address: { ...address, password: 'a\nb' } },
    { ...ticket, end: null },
    { ...ticket, end: { ...end, id: 'SA' } },
    { ...ticket, end: { ...end, host: 'db.example.com ssl verify none' } },
    { ...ticket, end: { ...end, port: 0 } },
    { ...ticket, end: { ...end, authority: 'a' } },
    { ...ticket, end: { ...end, authority: authority.certificate + authority.key } },
    { ...ticket, end: { ...end, authority: pemBlock('CERTIFICATE', Buffer.from('nothing')) } },
    { ...ticket, end: { ...end, certificate: own.certificate } },
    { ...ticket, end: { ...end, certificate: own.certificate + other.key } },
  ]
  for (const each of wrong) {
    assert.throws(
      () => readShareLine(writeShareLine(each as ShareTicket)),
      (error: RackError) =>
        error.code === 'invalid' && !/4711|PRIVATE/.test(`${error.message} ${error.hint}`),
      JSON.stringify(each),
    )
  }
  const more = { ...ticket, address: { ...address, authority: 'elsewhere', end }, more: 1 }
  assert.deepEqual(readShareLine(writeShareLine(more)), ticket)
})
