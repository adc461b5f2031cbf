import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AwsClients } from '../aws/clients.ts'
import { tokensOf } from './account-place.ts'

const hash = 'ab'.repeat(32)
/** Null is an object that the daemon may not read. */
const objects: Record<string, string | null> = {
  'tokens/anna': `${hash}\n`,
  'tokens/long': 'x'.repeat(1_000_000),
  'tokens/odd': 'no hash',
  'tokens/sealed': null,
  'tokens/zoe': hash,
}

test('an object that cannot be read, or is no hash, keeps nobody else out', async () => {
  const removed: string[] = []
  const read: string[] = []
  const bucket = {
    listObjectsV2: async () => ({ Contents: Object.keys(objects).map((Key) => ({ Key })) }),
    getObject: async ({ Key }: { Key: string }) => {
      const text = objects[Key]
      if (text == null) throw new Error('the key is not yours')
      const transformToString = async () => {
        read.push(Key)
        return text
      }
      return { ContentLength: text.length, Body: { transformToString } }
    },
    deleteObject: async ({ Key }: { Key: string }) => void removed.push(Key),
  } as unknown as AwsClients['objects']
  const warned: unknown[] = []
  const log = { warn: ({ name }: { name: string }) => void warned.push(name) } as never
  const taken: string[] = []
  const room = { takeInToken: async (name: string, sha256: string) => void taken.push(`${name} ${sha256}`) }
  const tokens = tokensOf({ clients: { objects: bucket }, bucket: 'b' }, log)
  await tokens.takeIn(room)
  assert.deepEqual(taken, [`anna ${hash}`, `zoe ${hash}`])
  assert.deepEqual(warned, ['long', 'odd', 'sealed'])
  assert.deepEqual(removed, ['tokens/anna', 'tokens/long', 'tokens/odd', 'tokens/zoe'])
  assert.deepEqual(read, ['tokens/anna', 'tokens/odd', 'tokens/zoe'])
  await tokens.takeIn(room)
  assert.equal(warned.filter((name) => name === 'sealed').length, 1, 'it is told once')
})
