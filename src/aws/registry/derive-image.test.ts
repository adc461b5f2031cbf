import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { readTar } from '../../lib/tar.ts'
import { assertGolden } from '../../../test/support/golden.ts'
import { derivedManifest, layerEntries, type LaidFile } from './derive-image.ts'
import { createImageTree, PathInTheWay, realDirectory, type TreeEntry } from './image-tree.ts'
import { layerTar, storedGzip } from './layer.ts'
import { digestOf, dockerManifest, ociManifest } from './manifests.ts'

const entry = (more: Partial<TreeEntry> = {}): TreeEntry => ({
  type: 'directory',
  mode: 0o755,
  uid: 0,
  gid: 0,
  modified: new Date(1_700_000_000_000),
  target: '',
  ...more,
})
const link = (target: string) => entry({ type: 'symlink', mode: 0o777, target })

const file = (path: string, what: LaidFile['what']): LaidFile => ({ path, mode: 0o640, uid: 5, gid: 6, what })
const files = [
  file('/var/run/secrets/key', { link: '/run/rack/0' }),
  file('/etc/shop/app.conf', { content: Buffer.from('colour=red') }),
]

function imageTree() {
  const tree = createImageTree(new Set(['/etc/passwd', '/etc/shop/app.conf']))
  tree.add('etc/', entry({ mode: 0o2755, gid: 9 }))
  tree.add('etc/passwd', entry({ type: 'other' }))
  tree.add('run/', entry())
  tree.add('var/run', link('../run'))
  return tree
}

test('the bytes of a layer are the same for the same files, whatever their order', async () => {
  const tar = layerTar(layerEntries(imageTree(), files))
  assert.equal(digestOf(layerTar(layerEntries(imageTree(), files.toReversed()))), digestOf(tar))
  const shown: string[] = []
  for await (const { header } of readTar(stream(tar))) {
    const { name, type, mode, uid, gid, mtime, linkname } = header
    shown.push(
      [type, mode.toString(8), uid, gid, mtime?.toISOString(), name, linkname ?? ''].join(' ').trim(),
    )
  }
  assertGolden('aws/layer.txt', `${shown.join('\n')}\n${digestOf(tar)}\n${digestOf(storedGzip(tar))}\n`)
  assert.deepEqual(gunzipSync(storedGzip(tar)), tar)
  const large = Buffer.alloc(200_000, 7)
  assert.deepEqual(gunzipSync(storedGzip(large)), large)
  assert.deepEqual(gunzipSync(storedGzip(Buffer.alloc(0))), Buffer.alloc(0))
})

async function* stream(bytes: Uint8Array) {
  yield bytes
}

test('links on the way are followed, as far as one can', () => {
  const tree = imageTree()
  assert.equal(realDirectory(tree, '/var/run/secrets'), '/run/secrets')
  assert.equal(realDirectory(tree, '/not/there'), '/not/there')
  assert.throws(() => realDirectory(tree, '/etc/passwd/x'), PathInTheWay)
  tree.add('a', link('/b'))
  tree.add('b', link('a'))
  assert.throws(() => realDirectory(tree, '/a/c'), PathInTheWay)
  assert.throws(() => layerEntries(tree, [file('/etc', { link: 'x' })]), PathInTheWay)
})

test('what a later layer takes away is not there', () => {
  const tree = createImageTree(new Set())
  for (const name of ['a', 'a/b', 'a/b/c', 'd', 'd/e']) tree.add(name, entry())
  tree.add('a/.wh.b', entry({ type: 'other' }))
  tree.add('d/.wh..wh..opq', entry({ type: 'other' }))
  const there = ['/a', '/a/b', '/a/b/c', '/d', '/d/e'].filter((path) => tree.at(path))
  assert.deepEqual(there, ['/a', '/d'])
  tree.add('a', link('/d'))
  assert.equal(realDirectory(tree, '/a/x'), '/d/x')
})

test('a derived manifest has one more layer, in the words of its base, and a changed configuration', () => {
  const descriptor = (mediaType: string) => ({ mediaType, size: 1, digest: digestOf('x') })
  const manifest = { schemaVersion: 2 as const, config: descriptor('c'), layers: [descriptor('l')] }
  const configuration = Buffer.from(
    JSON.stringify({
      architecture: 'amd64',
      config: { Cmd: ['sh'] },
      rootfs: { type: 'layers', diff_ids: ['sha256:1'] },
      history: [{ created_by: 'x' }],
    }),
  )
  const tar = layerTar(layerEntries(imageTree(), files))
  const shown = [dockerManifest, ociManifest].map((mediaType) => {
    const { found, blobs } = derivedManifest({ manifest, mediaType }, configuration, tar, {
      StopSignal: 'SIGINT',
    })
    return [String(found.bytes), String(blobs[0])]
  })
  const bare = derivedManifest({ manifest, mediaType: ociManifest }, configuration, null, {
    StopSignal: 'SIGQUIT',
  })
  assert.equal(bare.blobs.length, 1)
  assertGolden(
    'aws/derived.txt',
    `${[...shown.flat(), String(bare.found.bytes), String(bare.blobs[0])].join('\n')}\n`,
  )
})
