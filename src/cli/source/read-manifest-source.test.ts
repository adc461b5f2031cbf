import assert from 'node:assert/strict'
import { symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { RackError } from '../../domain/error.ts'
import type { Problem } from '../../domain/manifest.ts'
import { anyPolicy, strictPolicy, type Policy } from '../../domain/policy.ts'
import { makeSource } from '../../../test/support/source.ts'
import { walkSource } from './walk-source.ts'
import { checkLocalManifest, readLocalManifest, type LocalManifest } from './read-manifest-source.ts'

/** The policy of the rack is not asked for where something is sent. */
const notAsked = () => assert.fail('asked for the policy')

const local = (text: string): LocalManifest => ({
  directory: '/nowhere',
  source: { files: [{ path: 'docker-compose.yml', text }], dotenv: null, texts: {}, contents: {} },
  contexts: [],
  repositories: [],
  fetchedBuilds: [],
  secrets: [],
  binds: [],
})

test('what the app environment may decide is left to the rack', async () => {
  const text = `services:
  web: { image: "shop:\${TAG:?which one}", user: "\${WHO}", depends_on: [db], links: [db] }
  db: { image: db, profiles: [full] }
`
  const manifest = local(text)
  manifest.source.dotenv = 'URL=http://${HOST:?where}\nPASSWORD=pa$word\n'
  assert.deepEqual(await checkLocalManifest(manifest, notAsked), [])
})

test('what no variable can mend is refused before anything is sent, and said alone', async () => {
  const text =
    'services:\n  web:\n    image: "shop:${TAG}"\n    user: "${WHO}"\n    imagee: x\n    privileged: true\n'
  const told = async (policy: Policy) => {
    const error: unknown = await checkLocalManifest(local(text), async () => policy).catch(
      (caught: unknown) => caught,
    )
    assert.ok(error instanceof RackError && error.code === 'manifest-invalid')
    return (error.details as Problem[]).map(({ path }) => path)
  }
  assert.deepEqual(await told(anyPolicy), ['services.web.imagee'])
  assert.deepEqual(await told(strictPolicy), ['services.web.imagee', 'services.web.privileged'])
  const privileged = local('services: { web: { image: x, privileged: true } }\n')
  assert.deepEqual(await checkLocalManifest(privileged, notAsked), [])
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
  assert.deepEqual(await checkLocalManifest(manifest, notAsked), [])
  assert.equal(manifest.source.dotenv, 'TAG=1\n')
})

test('files of configs, secrets and labels are read; secrets are kept out of the source', async () => {
  await using source = await makeSource({
    'compose.yml': `services:
  web: { image: x, configs: [site], secrets: [db], label_file: web.labels }
configs: { site: { file: site.conf } }
secrets: { db: { file: keys/db }, unused: { file: keys/unused } }
`,
    'site.conf': 'listen 80\n',
    'keys/db': 'hush',
    'web.labels': 'team=shop\n',
  })
  const manifest = await readLocalManifest(source.path, [])
  assert.deepEqual(manifest.source.contents, {
    'site.conf': Buffer.from('listen 80\n').toString('base64'),
    'keys/db': Buffer.from('hush').toString('base64'),
  })
  assert.deepEqual(manifest.source.texts, { 'web.labels': 'team=shop\n' })
  assert.deepEqual(manifest.secrets, ['keys/db', 'keys/unused'])
  assert.deepEqual(await checkLocalManifest(manifest, notAsked), [])
})

test('a named file that is absurdly long is not read whole: a text is refused, a content is found too large', async () => {
  await using source = await makeSource({
    'compose.yml': 'services: { web: { image: x, configs: [big] } }\nconfigs: { big: { file: big } }\n',
    'env.yml': 'services: { web: { image: x, env_file: big } }\n',
    big: 'A=1\n'.repeat(2 ** 20),
  })
  const { source: read } = await readLocalManifest(source.path, [])
  assert.ok((read.contents.big ?? '').length < 2 ** 20)
  await assert.rejects(readLocalManifest(source.path, ['env.yml']), { code: 'too-large' })
})

test('a secret that is a link to another file of the source keeps that one out of it too', async () => {
  await using source = await makeSource({
    'compose.yml': 'services: { web: { image: x, secrets: [db] } }\nsecrets: { db: { file: keys/db } }\n',
    'vault/one': 'hush',
  })
  await symlink('vault', join(source.path, 'keys'))
  await symlink('one', join(source.path, 'vault/db'))
  const { secrets, source: read } = await readLocalManifest(source.path, [])
  assert.deepEqual(secrets, ['keys/db', 'vault/one'])
  assert.deepEqual(read.contents, { 'keys/db': Buffer.from('hush').toString('base64') })
})

test('a folder of secrets is read file by file, and no build and no mount gets it', async () => {
  await using source = await makeSource({
    'docker-compose.yml':
      'services:\n  web: { build: ., secrets: [tls], volumes: [".:/app:ro", "./tls:/tls"] }\nsecrets: { tls: { file: ./tls } }\n',
    Dockerfile: 'FROM x\n',
    'tls/ca.pem': 'ca',
    'tls/old/ca.pem': 'old',
  })
  const manifest = await readLocalManifest(source.path, [])
  assert.deepEqual(Object.keys(manifest.source.contents), ['tls/ca.pem', 'tls/old/ca.pem'])
  assert.deepEqual(manifest.source.places, { '.': { holds: 'folder' }, tls: { holds: 'withheld' } })
  const sent = [...walkSource(manifest, () => undefined)].map(({ path }) => path)
  assert.deepEqual(sent, ['Dockerfile', 'docker-compose.yml'])
})
