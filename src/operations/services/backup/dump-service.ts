import type { Control } from '../../../domain/control.ts'
import type { Engine } from '../../../domain/engine.ts'
import { pulled } from '../../../lib/pulled.ts'
import { decompressZstd, compressZstd } from '../../../lib/zstd.ts'
import type { DataCare, Part } from '../../../services/service-type.ts'
import { runInside } from '../run-inside.ts'
import { packBackup, readBackup, type AboutBackup, type PartStream, type PartSum } from './backup-archive.ts'
import { RackError } from '../../../domain/error.ts'

/** A copy of a service whose data is meant. */
export interface Place {
  engine: Pick<Engine, 'exec'>
  copy: string
  data: DataCare
}

/**
 * Takes out all of a service's data, as an archive of `backup-archive.ts` in zstd. A dump that fails is the stream's
 * failure: nobody has half of one without knowing.
 */
export async function* dumpService(
  place: Place,
  { about, told }: { about: AboutBackup; told?: (sums: PartSum[]) => void },
  control: Control,
): AsyncGenerator<Uint8Array> {
  const parts = place.data.parts(await namesIn(place, control))
  const streams = parts.map((part) => ({ name: part.name, content: dumpPart(place, part, control) }))
  yield* compressZstd(packBackup(about, streams, told))
}

/** One part, as the type's own program writes it. */
function dumpPart({ engine, copy }: Place, { dump }: Part, control: Control): AsyncIterable<Uint8Array> {
  return pulled((output, left) => {
    const signal = AbortSignal.any([control.signal, left])
    return runInside(engine, copy, { inside: dump, streams: { output } }, { ...control, signal })
  })
}

/**
 * Puts an archive's parts into a service that has no data yet.
 * @throws invalid for an archive that is damaged, or of another type's parts; service-failed
 */
export async function restoreService(
  place: Place,
  backup: AsyncIterable<Uint8Array>,
  control: Control,
): Promise<void> {
  for await (const item of readBackup(decompressZstd(backup))) {
    if ('content' in item) await restorePart(place, item, control)
  }
}

async function restorePart(
  { engine, copy, data }: Place,
  { name, content }: PartStream,
  control: Control,
): Promise<void> {
  const part = data.parts([nameOfPart(name)]).find((one) => one.name === name)
  if (!part)
    throw new RackError('invalid', `the backup cannot be used: it holds ${name}, which is not of this type`)
  await runInside(engine, copy, { inside: part.restore, streams: { input: content } }, control)
  // What a program did not want is read all the same, for the sums.
  for await (const _ of content);
}

/** What the `list` of the type prints. */
export async function namesIn({ engine, copy, data }: Place, control: Control): Promise<string[]> {
  if (!data.list) return []
  const text = await runInside(engine, copy, { inside: data.list }, control)
  return text.split('\n').filter((line) => line !== '')
}

/** A part of a database is called after it, with an ending. */
function nameOfPart(name: string): string {
  return decodeURIComponent(name.replace(/\.[^.]*$/, ''))
}
