import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RackError } from '../../domain/error.ts'
import { makeSource } from '../../../test/support/source.ts'
import { checkLocalManifest, readLocalManifest, type LocalManifest } from './read-manifest-source.ts'

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

test('what files name is read, and what those name in turn; .env is beside the first file', async () => {
  await using source = await makeSource({
    'deploy/compose.yml': 'include: [more.yml]\nservices: { web: { image: "x:${TAG}" } }\n',
    'deploy/.env': 'TAG=1\n',
    '.env': 'TAG=wrong\n',
    'deploy/more.yml': 'services: { db: { extends: { file: base.yml, service: db } } }\n',
    'deploy/base.yml': 'services: { db: { image: y, env_file: db.env } }\n',
    'deploy/db.env': 'A=1\n',
  })
  const manifest = await readLocalManifest(source.path, ['deploy/compose.yml'])
  assert.deepEqual(Object.keys(manifest.source.texts).toSorted(), [
    'deploy/.env',
    'deploy/base.yml',
    'deploy/db.env',
    'deploy/more.yml',
  ])
  assert.deepEqual(await checkLocalManifest(manifest), [])
  assert.equal(manifest.source.dotenv, 'TAG=1\n')
})
