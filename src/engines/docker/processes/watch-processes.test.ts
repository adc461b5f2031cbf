import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { RackError } from '../../../domain/error.ts'
import { appOwner, type Owner } from '../../../domain/owner.ts'
import type { DockerClient } from '../client.ts'
import { labels } from '../labels.ts'
import { watchProcesses } from './watch-processes.ts'

const shop = appOwner('shop')
const service: Owner = { kind: 'service', name: 'shop' }
const event = ({ kind, name }: Owner) =>
  `${JSON.stringify({ Action: 'die', Actor: { ID: 'c', Attributes: { [labels[kind]]: name } } })}\n`

/** Watches a Docker whose events are these bytes; gives what was heard and how it ended. */
async function watch(bytes: () => AsyncGenerator<Buffer>, signal = new AbortController().signal) {
  const stream = async () => Readable.from(bytes())
  const docker = { stream } as unknown as DockerClient
  const heard: (Owner | null)[] = []
  try {
    for await (const owner of watchProcesses({ docker, rack: 'rack' }, { signal })) heard.push(owner)
  } catch (error) {
    return { heard, error }
  }
  return { heard, error: null }
}

test('the beginning is told first, then the owner of each event, however the bytes are cut', async () => {
  const { heard } = await watch(async function* () {
    const all = Buffer.from(event(shop) + event(service))
    yield all.subarray(0, 11)
    yield all.subarray(11)
  })
  assert.deepEqual(heard, [null, shop, service])
})

test('a Docker that ends its events, or breaks them off, is away: who watches begins anew', async () => {
  const ended = await watch(async function* () {
    yield Buffer.from(event(shop))
  })
  assert.deepEqual([(ended.error as RackError).code, ended.heard], ['engine-unavailable', [null, shop]])
  const broken = await watch(async function* () {
    yield Buffer.from(event(shop))
    throw new Error('ECONNRESET')
  })
  assert.equal((broken.error as RackError).code, 'engine-unavailable')
})

test('who leaves is told their own reason', async () => {
  const leaving = new AbortController()
  const reason = new RackError('cancelled', 'the rack is stopping')
  const { error } = await watch(async function* () {
    yield Buffer.from(event(shop))
    leaving.abort(reason)
    throw new Error('aborted')
  }, leaving.signal)
  assert.equal(error, reason)
})
