import { RackError } from '../domain/error.ts'
import type { ManifestSource } from '../domain/manifest.ts'
import { readTar, rewriteTar } from '../lib/tar.ts'

/**
 * The layout of an upload, a tar: `manifest/index.json` first, which lists the texts a manifest is read from; those
 * texts under `manifest/`; then the source directory under `source/`. The texts are apart from the source so that
 * `.env` never has to be in a build's context.
 */
interface UploadIndex {
  files: string[]
  dotenv: boolean
  texts: string[]
}

const maxTextBytes = 1024 * 1024

/** Reads the texts of an upload; the source behind them is not touched. @throws manifest-missing; invalid */
export async function readManifestSource(upload: AsyncIterable<Uint8Array>): Promise<ManifestSource> {
  const texts = new Map<string, string>()
  try {
    for await (const { header, content } of readTar(upload)) {
      if (!header.name.startsWith('manifest/')) break
      texts.set(header.name.slice('manifest/'.length), await readText(header.name, content))
    }
  } catch (error) {
    if (error instanceof RackError) throw error
    throw new RackError('invalid', 'the upload is not a tar', { cause: error })
  }
  return sourceOf(texts)
}

/** The source directory of an upload as a tar stream with paths relative to it. */
export function sourceTar(upload: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  return rewriteTar(upload, (name) =>
    name.startsWith('source/') ? name.slice('source/'.length) || null : null,
  )
}

function sourceOf(texts: Map<string, string>): ManifestSource {
  const { files, dotenv, texts: further } = indexOf(texts)
  const read = (path: string): string => {
    const text = texts.get(path)
    if (text !== undefined) return text
    throw new RackError('invalid', `the upload names ${path} but does not hold it`)
  }
  if (files.length === 0) throw new RackError('manifest-missing', 'the upload has no compose file')
  return {
    files: files.map((path) => ({ path, text: read(path) })),
    dotenv: dotenv ? read('.env') : null,
    texts: Object.fromEntries(further.map((path) => [path, read(path)])),
    contents: {},
  }
}

function indexOf(texts: Map<string, string>): UploadIndex {
  const text = texts.get('index.json')
  if (text === undefined) throw new RackError('manifest-missing', 'the upload has no manifest/index.json')
  try {
    const { files, dotenv, texts: further } = JSON.parse(text) as Partial<UploadIndex>
    return { files: files ?? [], dotenv: dotenv ?? false, texts: further ?? [] }
  } catch (error) {
    throw new RackError('invalid', 'manifest/index.json is not JSON', { cause: error })
  }
}

async function readText(name: string, content: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of content) {
    bytes += chunk.byteLength
    if (bytes > maxTextBytes) throw new RackError('too-large', `${name} is larger than 1 MiB`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
