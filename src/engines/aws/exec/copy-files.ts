import type { Archive } from '../../../domain/engine.ts'
import { RackError } from '../../../domain/error.ts'
import type { AwsParts } from '../parts.ts'
import { TruncatedTarError, wholeTar } from '../../../lib/tar-watch.ts'
import type { Place } from './execute-command.ts'
import { converse } from './tool-session.ts'

/** A tar stream into a directory of a container, or out of it. */
export async function copyFiles(
  parts: Pick<AwsParts, 'clients' | 'places'>,
  place: Place,
  { path, archive }: { path: string; archive: Archive },
  control: { signal: AbortSignal },
): Promise<void> {
  try {
    await ('in' in archive
      ? put(parts, place, path, archive.in, control)
      : take(parts, place, path, archive.out, control))
  } catch (error) {
    throw explain(error, path, place.process)
  }
}

async function put(
  parts: Pick<AwsParts, 'clients' | 'places'>,
  place: Place,
  path: string,
  input: AsyncIterable<Uint8Array>,
  control: { signal: AbortSignal },
): Promise<void> {
  const order = { direction: 'in', path }
  const output = async () => undefined
  await converse(parts, place, { verb: 'tar', order, input, output }, control)
}

async function take(
  parts: Pick<AwsParts, 'clients' | 'places'>,
  place: Place,
  path: string,
  out: (chunk: Uint8Array) => Promise<void>,
  control: { signal: AbortSignal },
): Promise<void> {
  const watched = new TransformStream<Uint8Array, Uint8Array>()
  const writer = watched.writable.getWriter()
  const reading = (async () => {
    for await (const chunk of wholeTar(watched.readable)) await out(chunk)
  })()
  const order = { direction: 'out', path }
  const output = async (_stream: string, chunk: Uint8Array) => await writer.write(chunk)
  try {
    await converse(parts, place, { verb: 'tar', order, input: null, output }, control)
    await writer.close()
    await reading
  } catch (error) {
    await Promise.allSettled([writer.abort(error), reading])
    throw error
  }
}

function explain(error: unknown, path: string, process: string): unknown {
  if (error instanceof TruncatedTarError) {
    return new RackError('engine-failed', `the copy of ${path} broke off`, { cause: error })
  }
  if (!(error instanceof RackError)) return error
  switch (error.code) {
    case 'not-found':
      return new RackError('not-found', `no ${path} in the process ${process}`, { cause: error })
    case 'conflict':
      return new RackError('conflict', `${path} of ${process} cannot be copied so: ${error.message}`, {
        cause: error,
      })
    case 'invalid':
      return new RackError('invalid', `what came for ${path} of ${process} is no whole tar`, {
        hint: 'What came before its fault is there. Look at it with: tar t',
        cause: error,
      })
    default:
      return error
  }
}
