import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import { test } from 'node:test'
import { createFakeAccount } from '../../test/fake-aws/account.ts'
import { clientConfig } from '../../test/fake-aws/client-config.ts'
import { AwsError } from '../../test/fake-aws/fake-service.ts'
import { startServer } from '../../test/fake-aws/server.ts'
import { createIdentity } from '../../test/fake-aws/small/identity.ts'
import { createObjects } from '../../test/fake-aws/small/objects.ts'
import { createClients } from './clients.ts'

async function openAccount(t: { after(undo: () => Promise<void>): void }) {
  const account = await createFakeAccount()
  const objects = createObjects(account)
  objects.buckets.add('rack')
  const server = await startServer({ ...account, services: [objects.service, createIdentity(account)] })
  t.after(async () => {
    await server.close()
    account.clock.close()
    await rm(account.directory, { recursive: true })
  })
  return { server, account: account.account, config: clientConfig(server) }
}

test('of an account that is not the rack’s nothing is asked but whose it is', async (t) => {
  const { server, config } = await openAccount(t)
  const clients = createClients({ ...config, account: '999999999999' })
  t.after(async () => clients.close())
  for (let at = 0; at < 2; at++) {
    await assert.rejects(clients.objects.deleteObject({ Bucket: 'rack', Key: 'a' }), {
      code: 'engine-unavailable',
      message: /is of account 123456789012, and the rack is in 999999999999/,
      hint: /AWS_PROFILE/,
    })
  }
  assert.deepEqual(server.calls.counts(), { 'sts:GetCallerIdentity': 2 })
})

test('in its own one it is asked once, and again where nobody answered', async (t) => {
  const { server, account, config } = await openAccount(t)
  const clients = createClients({ ...config, account })
  t.after(async () => clients.close())
  server.faults.set('sts:GetCallerIdentity', {
    error: new AwsError('ExpiredToken', 'expired', 403),
    times: 1,
  })
  const remove = async () => await clients.objects.deleteObject({ Bucket: 'rack', Key: 'a' })
  await assert.rejects(remove(), { code: 'engine-unavailable', message: /ExpiredToken/ })
  for (let at = 0; at < 3; at++) await remove()
  assert.deepEqual(server.calls.counts(), { 'sts:GetCallerIdentity': 2, 's3:DeleteObject': 3 })
})
