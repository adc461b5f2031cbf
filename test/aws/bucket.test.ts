import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempDisposable, readdir, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
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

test('an account that is away fails a put, whatever of its calls fails last, and nothing else', async () => {
  await using place = await makePlace()
  const blobs = await place.open()
  const error = new AwsError('ExpiredToken', 'expired', 403)
  server.faults.set('s3:HeadObject', { error })
  server.faults.set('s3:ListObjectsV2', { error, delayMs: 100_000 })
  await assert.rejects(blobs.put('a/b', pieces('x'), control()), RackError)
  server.faults.clear()
  // By then the other one has failed too, and somebody must have been there for it.
  await account.clock.pass(200_000)
  await blobs.put('a/b', pieces('x'), control())
})

test('a blob that stops coming is not waited for without end', async (t) => {
  const half = createServer((_request, response) => {
    response.writeHead(200, { 'content-length': 10 })
    response.write('half')
  })
  half.listen(0, '127.0.0.1')
  await once(half, 'listening')
  const { port } = half.address() as AddressInfo
  const access = { ...clientConfig(server), endpoint: `http://127.0.0.1:${port}` }
  const away = createClients(access)
  t.after(() => {
    away.close()
    half.closeAllConnections()
    half.close()
  })
  const spool = join(account.directory, 'spool-of-half')
  const blobs = await openBucket({ client: away.objects, bucket, prefix: 'half/', spool, patienceMs: 200 })
  const read: string[] = []
  const reading = async () => {
    for await (const piece of blobs.get('key')) read.push(Buffer.from(piece).toString())
  }
  await assert.rejects(reading(), { code: 'engine-unavailable', message: /does not send the object "key"/ })
  assert.deepEqual(read, ['half'])
})

async function* pieces(content: string | Uint8Array): AsyncGenerator<Uint8Array> {
  yield Buffer.from(content)
}
