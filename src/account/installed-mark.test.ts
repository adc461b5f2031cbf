import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { S3 } from '@aws-sdk/client-s3'
import { claimInstalledMark } from './installed-mark.ts'

const control = { signal: new AbortController().signal }
const mark = (host: string) => ({ host, directory: '/rack' })
const failure = (name: string) => Object.assign(new Error(name), { name })

/** One object that is written once; `lost` answers of writes do not come. */
function bucketWith({ lost = 0 } = {}) {
  let kept: string | null = null
  const objects = {
    async putObject({ Body, IfNoneMatch }: { Body: string; IfNoneMatch?: string }) {
      assert.equal(IfNoneMatch, '*')
      if (kept !== null) throw failure('PreconditionFailed')
      kept = Body
      // The SDK has called again, and was refused.
      if (lost-- > 0) throw failure('PreconditionFailed')
    },
    async getObject() {
      if (kept === null) throw failure('NoSuchKey')
      const text = kept
      return { Body: { transformToString: async () => text } }
    },
  } as unknown as S3
  return { clients: { objects }, bucket: 'bucket' }
}

test('of two that are installed at once the first has the rack, and the second hears of it', async () => {
  const where = bucketWith()
  assert.equal(await claimInstalledMark(where, mark('one'), control), null)
  const first = await claimInstalledMark(where, mark('two'), control)
  assert.equal(first?.inside ? null : first?.host, 'one')
})

test('what was written though its answer was lost is its own', async () => {
  assert.equal(await claimInstalledMark(bucketWith({ lost: 1 }), { inside: true }, control), null)
})
