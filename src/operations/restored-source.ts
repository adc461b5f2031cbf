import type { BesideFile, BuildContent } from '../domain/build.ts'
import { readTar, writeTar, type TarEntry } from '../lib/tar.ts'
import { listEntries, type KnownSource, type UploadedSource } from './uploaded-source.ts'

/** A file that is part of a source and not of what is kept of it. */
interface RestoredFile extends Omit<BesideFile, 'path'> {
  path: string
  bytes: Buffer
}

/** The files of a build's source that are sealed with the build: their contents are the manifest's. */
export function besideSource({ source, beside }: Pick<BuildContent, 'source' | 'beside'>): RestoredFile[] {
  return (beside ?? []).flatMap((file) => {
    const bytes = bytesOf(source, file.path)
    return bytes === null ? [] : [{ ...file, bytes }]
  })
}

function bytesOf({ texts, contents, dotenv }: BuildContent['source'], path: string): Buffer | null {
  if (Object.hasOwn(contents, path)) return Buffer.from(contents[path]!, 'base64')
  if (Object.hasOwn(texts, path)) return Buffer.from(texts[path]!)
  return path === '.env' && dotenv !== null ? Buffer.from(dotenv) : null
}

/** A source as it was sent: what is kept of it, and the files beside. */
export function restoredSource(known: Pick<KnownSource, 'open'>, beside: RestoredFile[]): UploadedSource {
  const entries = (isWanted: (path: string) => boolean) => restored(known, beside, isWanted)
  return {
    open: (isWanted = () => true) => writeTar(entries(isWanted)),
    list: (isWanted, signal) => listEntries(entries(isWanted), signal),
  }
}

async function* restored(
  known: Pick<KnownSource, 'open'>,
  beside: RestoredFile[],
  isWanted: (path: string) => boolean,
): AsyncGenerator<TarEntry> {
  // With the folders first.
  for await (const entry of readTar(known.open())) {
    const { header } = entry
    if (isWanted(header.name)) yield { ...entry, header: { ...header, pax: null } }
  }
  for (const { path, mode, bytes } of beside) {
    if (!isWanted(path)) continue
    yield { header: headOf(path, mode, bytes.length), content: piece(bytes) }
  }
}

function headOf(name: string, mode: number, size: number): TarEntry['header'] {
  const owner = { uid: 0, gid: 0, uname: '', gname: '', devmajor: 0, devminor: 0 }
  return { name, mode, size, type: 'file', mtime: new Date(0), linkname: '', pax: null, ...owner }
}

async function* piece(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield bytes
}
