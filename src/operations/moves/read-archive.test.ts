import assert from 'node:assert/strict'
import { test } from 'node:test'
import { batchesOf } from './read-archive.ts'

test('few rows are held at once, and fewer of those that are long', async () => {
  const row = (value: string) => {
    const release = { id: 'RAAAAAAAAAA', app: 'shop', build: null, description: '', basedOn: null, links: [] }
    const said = {
      release: { ...release, created: new Date(0).toISOString() },
      environment: { VALUE: value },
    }
    return Buffer.from(`${JSON.stringify(said)}\n`)
  }
  const sizes = async (rows: Uint8Array[]) => {
    const content = (async function* () {
      yield* rows
    })()
    return await Array.fromAsync(batchesOf({ name: 'releases.ndjson', content }), (batch) => batch.length)
  }
  assert.deepEqual(await sizes(Array.from({ length: 20 }, () => row(''))), [16, 4])
  assert.deepEqual(await sizes(Array.from({ length: 5 }, () => row('x'.repeat(3 * 2 ** 20)))), [3, 2])
})
