import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RackError } from '../../domain/error.ts'
import { checkLocalManifest, type LocalManifest } from './read-manifest-source.ts'

const local = (text: string): LocalManifest => ({
  directory: '/nowhere',
  source: { files: [{ path: 'docker-compose.yml', text }], dotenv: null, texts: {}, contents: {} },
  contexts: [],
})

test('a value that only the app environment can complete is left to the rack', async () => {
  const problems = await checkLocalManifest(local('services:\n  web:\n    image: "shop:${TAG:?which one}"\n'))
  assert.ok(problems.some(({ kind }) => kind === 'variable'))
})

test('what no variable can mend is refused before anything is sent', async () => {
  const text = 'services:\n  web:\n    image: "shop:${TAG}"\n    imagee: x\n'
  await assert.rejects(
    checkLocalManifest(local(text)),
    (error: RackError) => error.code === 'manifest-invalid',
  )
})
