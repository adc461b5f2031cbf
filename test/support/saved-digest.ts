import { buffer } from 'node:stream/consumers'
import { readTar } from '../../src/lib/tar.ts'

/** What the one image of a tar is called after: an engine in memory has no tars, and calls images after what is in them. */
export async function savedDigest(image: string, saved: AsyncIterable<Uint8Array>): Promise<string> {
  if (image.startsWith('sha256:')) return image
  for await (const { header, content } of readTar(saved)) {
    if (header.name !== 'manifest.json') continue
    const [{ Config }] = JSON.parse(String(await buffer(content))) as [{ Config: string }]
    return `sha256:${/[0-9a-f]{64}/.exec(Config)![0]}`
  }
  throw new Error('it does not say what it holds')
}
