import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import { amazonRoots, serverAuthorities } from './server-authorities.ts'

test("to RDS's authorities come Amazon's public ones, which Node has", async () => {
  const names = amazonRoots().map((pem) => /^CN=(.*)$/m.exec(new X509Certificate(pem).subject)?.[1])
  const known = [1, 2, 3, 4].map((number) => `Amazon Root CA ${number}`)
  assert.deepEqual(new Set(names), new Set([...known, 'Starfield Services Root Certificate Authority - G2']))
  const own = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n'
  const given = { RACK_DATABASE_AUTHORITIES: `data:,${encodeURIComponent(own)}` }
  const keeper = { read: async () => null, write: async () => undefined }
  const found = await serverAuthorities(given, 'eu-west-1', { keeper, log: {} as never })
  assert.ok(found.startsWith(own))
  assert.equal(found.split('-----BEGIN CERTIFICATE-----\n').length, 7)
})
