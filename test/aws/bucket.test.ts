import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtempDisposable, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { createClients, type AwsClients } from '../../src/aws/clients.ts'
import { RackError } from '../../src/domain/error.ts'
import type { Objects } from '../../src/domain/objects.ts'
import { openBucket } from '../../src/objects/bucket.ts'
import { objectsContract } from '../contract/objects.ts'
import { createFakeAccount } from '../fake-aws/account.ts'
import { clientConfig } from '../fake-aws/client-config.ts'
import { AwsError } from '../fake-aws/fake-service.ts'
import { startServer, type FakeServer } from '../fake-aws/server.ts'
import { createObjects } from '../fake-aws/small/objects.ts'

const bucket = 'rack-bucket'
// The age of an object is known to the second, and there are many in a moment here.
const account = await createFakeAccount({ factor: 1000 })
const objects = createObjects(account)
let server: FakeServer
let clients: AwsClients
let count = 0

before(async () => {
  objects.buckets.add(bucket)
  server = await startServer({ ...account, services: [objects.service] })
  clients = createClients(clientConfig(server))
})
after(async () => {
  clients.close()
  await server.close()
  account.clock.close()
  await rm(account.directory, { recursive: true })
  assert.deepEqual(account.troubles, [])
})

/** A prefix of its own in the one bucket. */
async function makePlace() {
  const directory = await mkdtempDisposable(join(tmpdir(), 'rack-bucket-'))
  const spool = join(directory.path, 'spool')
  const prefix = `of-${count++}/`
  return {
    open: async (options: { maxBytes?: number } = {}): Promise<Objects> =>
      await openBucket({ client: clients.objects, bucket, prefix, spool, ...options }),
    leftovers: async () => [
      ...(await readdir(spool)),
      ...objects.openUploads().filter((key) => key.startsWith(prefix)),
    ],
    [Symbol.asyncDispose]: async () => directory[Symbol.asyncDispose](),
  }
}

objectsContract('bucket', makePlace)

const control = (signal = new AbortController().signal) => ({ signal, report: () => undefined })

test('a part that the account does not take leaves nothing, and what was there before', async () => {
  await using place = await makePlace()
  const blobs = await place.open()
  const source = async function* () {
    for (let at = 0; at < 20; at++) yield randomBytes(2 ** 20)
  }
  await blobs.put('key', pieces('before'), control())
  server.faults.set('s3:UploadPart', { error: new AwsError('AccessDenied', 'Access Denied', 403), times: 1 })
  await assert.rejects(blobs.put('key', source(), control()), (error) => {
    return error instanceof RackError && /UploadPart/.test(error.message)
  })
  assert.deepEqual(await place.leftovers(), [])
  assert.equal(Buffer.concat(await Array.fromAsync(blobs.get('key'))).toString(), 'before')
})

test('a part whose answer is lost is sent again, and the blob is whole', async () => {
  await using place = await makePlace()
  const blobs = await place.open()
  const content = randomBytes(17 * 2 ** 20)
  server.faults.set('s3:UploadPart', { appliedButUnanswered: true, times: 1 })
  const { sha256 } = await blobs.put('key', pieces(content), control())
  const hash = createHash('sha256')
  for await (const chunk of blobs.get('key')) hash.update(chunk)
  assert.equal(hash.digest('hex'), sha256)
  assert.equal(Buffer.concat(await Array.fromAsync(blobs.get('key', { start: 17 * 2 ** 20 - 1 }))).length, 1)
})

async function* pieces(content: string | Uint8Array): AsyncGenerator<Uint8Array> {
  yield Buffer.from(content)
}
