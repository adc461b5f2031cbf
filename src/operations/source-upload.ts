import { RackError } from '../domain/error.ts'
import type { ManifestSource } from '../domain/manifest.ts'
import { readTar, rewriteTar } from '../lib/tar.ts'

/**
 * The layout of an upload, a tar: `manifest/index.json` first, which lists the files a manifest is read from; those
 * files under `manifest/files/`, and `.env` as `manifest/dotenv`; then the source directory under `source/`. They are
 * apart from the source so that `.env` never has to be in a build's context.
 */
interface UploadIndex {
  files: string[]
  dotenv: boolean
  texts: string[]
  contents: string[]
}

const mostBytes = 1024 * 1024

/** Reads the texts of an upload; the source behind them is not touched. @throws manifest-missing; invalid */
export async function readManifestSource(upload: AsyncIterable<Uint8Array>): Promise<ManifestSource> {
  const sent = new Map<string, Buffer>()
  try {
    for await (const { header, content } of readTar(upload)) {
      if (!header.name.startsWith('manifest/')) break
      sent.set(header.name.slice('manifest/'.length), await readWhole(header.name, content))
    }
  } catch (error) {
    if (error instanceof RackError) throw error
    throw new RackError('invalid', 'the upload is not a tar', { cause: error })
  }
  return sourceOf(sent)
}

/** The source directory of an upload as a tar stream with paths relative to it. */
export function sourceTar(upload: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  return rewriteTar(upload, (name) =>
    name.startsWith('source/') ? name.slice('source/'.length) || null : null,
  )
}

function sourceOf(sent: Map<string, Buffer>): ManifestSource {
  const { files, dotenv, texts, contents } = indexOf(sent)
  const sentAs = (name: string): Buffer => {
    const bytes = sent.get(name)
    if (bytes !== undefined) return bytes
    throw new RackError('invalid', `the upload names ${name} but does not hold it`)
  }
  const bytesOf = (path: string): Buffer => sentAs(`files/${path}`)
  const read = (path: string): string => bytesOf(path).toString('utf8')
  if (files.length === 0) throw new RackError('manifest-missing', 'the upload has no compose file')
  return {
    files: files.map((path) => ({ path, text: read(path) })),
    dotenv: dotenv ? sentAs('dotenv').toString('utf8') : null,
    texts: Object.fromEntries(texts.map((path) => [path, read(path)])),
    contents: Object.fromEntries(contents.map((path) => [path, bytesOf(path).toString('base64')])),
  }
}

function indexOf(sent: Map<string, Buffer>): UploadIndex {
  const text = sent.get('index.json')?.toString('utf8')
  if (text === undefined) throw new RackError('manifest-missing', 'the upload has no manifest/index.json')
  try {
    const { files, dotenv, texts, contents } = JSON.parse(text) as Partial<UploadIndex>
    return { files: files ?? [], dotenv: dotenv ?? false, texts: texts ?? [], contents: contents ?? [] }
  } catch (error) {
    throw new RackError('invalid', 'manifest/index.json is not JSON', { cause: error })
  }
}

async function readWhole(name: string, content: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of content) {
    bytes += chunk.byteLength
    if (bytes > mostBytes) throw new RackError('too-large', `${name} is larger than 1 MiB`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
