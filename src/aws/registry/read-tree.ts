import { posix } from 'node:path'
import { Readable } from 'node:stream'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import { readTar } from '../../lib/tar.ts'
import { openBlob } from './blobs.ts'
import { createImageTree, type ImageTree } from './image-tree.ts'
import type { Descriptor, Manifest } from './manifests.ts'
import type { Registry } from './registry.ts'

/** Reads what an image has on the way to paths: all of its layers, of which nothing else is kept. */
export async function readTree(
  registry: Registry,
  { repository, manifest, paths }: { repository: string; manifest: Manifest; paths: string[] },
  signal: AbortSignal,
): Promise<ImageTree> {
  const tree = createImageTree(new Set(paths.flatMap(withDirectories)))
  for (const layer of manifest.layers) {
    const blob = openBlob(registry, { repository, digest: layer.digest }, signal)
    for await (const { header } of readTar(unpacked(blob, layer))) {
      const { name, type, mode, uid, gid, mtime, linkname } = header
      tree.add(name, {
        type: type === 'directory' || type === 'symlink' ? type : 'other',
        mode: mode & 0o7777,
        uid,
        gid,
        modified: mtime ?? new Date(0),
        target: linkname ?? '',
      })
    }
  }
  return tree
}

function withDirectories(path: string): string[] {
  return path === '/' ? [] : [path, ...withDirectories(posix.dirname(path))]
}

async function* unpacked(
  blob: AsyncIterable<Uint8Array>,
  { mediaType }: Descriptor,
): AsyncGenerator<Uint8Array> {
  if (/[.+]gzip$/.test(mediaType)) yield* through(blob, createGunzip())
  else if (/[.+]zstd$/.test(mediaType)) yield* through(blob, createZstdDecompress())
  else yield* blob
}

async function* through(
  blob: AsyncIterable<Uint8Array>,
  unpack: ReturnType<typeof createGunzip>,
): AsyncGenerator<Uint8Array> {
  const source = Readable.from(blob, { objectMode: false })
  source.on('error', (error) => unpack.destroy(error))
  try {
    yield* source.pipe(unpack) as AsyncIterable<Uint8Array>
  } finally {
    source.destroy()
    unpack.destroy()
  }
}
