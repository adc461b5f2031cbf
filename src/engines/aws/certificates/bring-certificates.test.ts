import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AwsParts } from '../parts.ts'
import { bringCertificates } from './bring-certificates.ts'

test('a name that ACM does not take keeps no other one from its certificate', async () => {
  const long = `${'a'.repeat(60)}.example.com`
  const asked: string[] = []
  const clients = {
    certificates: {
      listCertificates: async () => ({}),
      requestCertificate: async ({ DomainName }: { DomainName: string }) => {
        if (DomainName === long) throw Object.assign(new Error('too long'), { name: 'ValidationException' })
        asked.push(DomainName)
      },
    },
    zones: { listHostedZones: async () => ({}) },
  }
  const parts = { clients, rack: 'r1' } as unknown as AwsParts
  const { signal } = new AbortController()
  const names = [long, 'shop.example.com']
  const states = await bringCertificates(parts, { names, listeners: [] }, { signal })
  assert.deepEqual(
    states.map(({ name, state, reason }) => [name, state, reason]),
    [
      [long, 'failed', 'ACM takes no order for it: too long'],
      ['shop.example.com', 'waiting', 'ACM is asked for a certificate'],
    ],
  )
  assert.deepEqual(asked, ['shop.example.com'])
})
