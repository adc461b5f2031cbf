import assert from 'node:assert/strict'
import { mkdtempDisposable } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { ensureDaemonImage } from '../../src/account/daemon-image.ts'
import { putBlob } from '../../src/aws/registry/blobs.ts'
import { digestOf, ociManifest, putManifest } from '../../src/aws/registry/manifests.ts'
import { createRegistry } from '../../src/aws/registry/registry.ts'
import { startDockerRegistry } from '../support/docker-registry.ts'
import { controlFor } from '../support/docker-rack.ts'
import { startPrivateRegistry } from '../support/private-registry.ts'

const control = () => controlFor(30_000)
/** Nothing of the account is asked for before the base is found good. */
const clients = { images: {} as never }
const ensure = (base: string) => ensureDaemonImage({ clients, repository: 'rack/r1', base }, control())

/** An image without content, of which its own registry says what its Node is. */
async function putBare(host: string, environment: string[]): Promise<string> {
  const registry = createRegistry({ host, account: async () => null })
  const repository = 'library/node'
  const config = Buffer.from(
    JSON.stringify({
      os: 'linux',
      architecture: 'amd64',
      config: { Env: environment },
      rootfs: { diff_ids: [] },
    }),
  )
  const { signal } = control()
  await putBlob(registry, { repository, digest: digestOf(config) }, () => config, signal)
  const described = {
    mediaType: 'application/vnd.oci.image.config.v1+json',
    size: config.length,
    digest: digestOf(config),
  }
  const manifest = { schemaVersion: 2, mediaType: ociManifest, config: described, layers: [] }
  const bytes = Buffer.from(JSON.stringify(manifest))
  const digest = digestOf(bytes)
  await putManifest(registry, { repository, found: { bytes, digest, mediaType: ociManifest } }, signal)
  return `${host}/${repository}@${digest}`
}

test('what the daemon cannot stand on is refused with its reason', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'rack-registry-'))
  await using open = await startDockerRegistry({ directory: directory.path, ready: 200 })
  await assert.rejects(ensure(await putBare(open.host, ['NODE_VERSION=22.11.0'])), {
    code: 'image-unavailable',
    message: /has Node 22\.11\.0, and the daemon needs 24 or newer$/,
    hint: /--node-image public\.ecr\.aws/,
  })
  await assert.rejects(ensure(`${open.host}/library/none:24`), {
    code: 'image-unavailable',
    hint: /Is the name right/,
  })
  await using closed = await startPrivateRegistry()
  await assert.rejects(ensure(`${closed.host}/library/node:24`), {
    code: 'image-unavailable',
    hint: /wants a login, and an installation has none/,
  })
})
