import type { Control } from '../domain/control.ts'
import { RackError } from '../domain/error.ts'
import type { Objects } from '../domain/objects.ts'
import { createPartWriter, type PartWriter } from './part-writer.ts'

/**
 * Logs that grow, made of objects that do not: numbered parts `FOLDER/00000001.ndjson`, of which the last is put anew
 * as it grows, and at the end one object, `FOLDER.ndjson`. To a reader it is the same bytes at the same places.
 */
export interface LogParts {
  /** @param kept is called each time that more can be read */
  write(folder: string, kept: () => void): PartWriter
  /** What there is from a place on. */
  read(folder: string, start: number): AsyncIterable<Uint8Array>
  /** Safe to repeat, after a crash in the middle too. */
  merge(folder: string): Promise<void>
  remove(folder: string): Promise<void>
}

/** Nobody ends the writing of a log: it is small, and its writer waits for it. */
const endless: Control = { signal: new AbortController().signal, report: () => undefined }

export function createLogParts(objects: Objects): LogParts {
  return {
    write: (folder, kept) =>
      createPartWriter({
        async put(number, text) {
          const key = `${folder}/${String(number).padStart(8, '0')}.ndjson`
          await objects.put(key, bytesOf(text), endless)
          kept()
        },
        finish: () => mergeParts(objects, folder),
      }),
    read: (folder, start) => readLog(objects, folder, start),
    merge: (folder) => mergeParts(objects, folder),
    async remove(folder) {
      await objects.remove(wholeKey(folder))
      await removeParts(objects, folder)
    },
  }
}

function wholeKey(folder: string): string {
  return `${folder}.ndjson`
}

async function partsOf(objects: Objects, folder: string): Promise<{ key: string; bytes: number }[]> {
  const found = await Array.fromAsync(objects.list(`${folder}/`))
  return found.sort((a, b) => (a.key < b.key ? -1 : 1))
}

async function* readLog(objects: Objects, folder: string, start: number): AsyncGenerator<Uint8Array> {
  let at = start
  if ((await objects.size(wholeKey(folder))) === null) {
    try {
      for await (const chunk of readParts(objects, folder, start)) {
        at += chunk.byteLength
        yield chunk
      }
    } catch (error) {
      // A part that was listed is gone: they were put together meanwhile, or the log was removed.
      if (!(error instanceof RackError && error.code === 'not-found')) throw error
    }
  }
  const bytes = await objects.size(wholeKey(folder))
  if (bytes !== null && bytes > at) yield* objects.get(wholeKey(folder), { start: at })
}

async function* readParts(objects: Objects, folder: string, start: number): AsyncGenerator<Uint8Array> {
  let begin = 0
  for (const { key, bytes } of await partsOf(objects, folder)) {
    if (begin + bytes > start) yield* objects.get(key, { start: Math.max(0, start - begin) })
    begin += bytes
  }
}

async function mergeParts(objects: Objects, folder: string): Promise<void> {
  if ((await objects.size(wholeKey(folder))) === null) {
    // One part is one object.
    if ((await partsOf(objects, folder)).length < 2) return
    await objects.put(wholeKey(folder), readParts(objects, folder, 0), endless)
  }
  await removeParts(objects, folder)
}

/** The last first: what a crash leaves is the beginning of a log, not one with a hole. */
async function removeParts(objects: Objects, folder: string): Promise<void> {
  for (const { key } of (await partsOf(objects, folder)).reverse()) await objects.remove(key)
}

async function* bytesOf(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text)
}
