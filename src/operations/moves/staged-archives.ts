import { randomBytes } from 'node:crypto'
import type { Control } from '../../domain/control.ts'
import { makeId } from '../../domain/id.ts'
import type { Context } from '../context.ts'
import { say } from '../say.ts'

/** Where an archive rests until all of it was read, sealed as all else there. */
const prefix = 'imports/'

const workOf = (id: string) => `import ${id}`

/** Works with an archive that is written down, and read as often as it is asked for; whatever the end, nothing of it stays. */
export async function withStaged<T>(
  context: Context,
  content: AsyncIterable<Uint8Array>,
  control: Control,
  work: (open: () => AsyncIterable<Uint8Array>, own: Control) => Promise<T>,
): Promise<T> {
  const { running, objects, store } = context
  const id = makeId('K', randomBytes)
  const [key, place] = [`${prefix}${id}`, ['import', id]]
  return await running.run(workOf(id), async (stopping) => {
    const own = { ...control, signal: AbortSignal.any([stopping, control.signal]) }
    try {
      say(context, own, 'all of it is read before anything is touched')
      await objects.put(key, store.sealing.seal(content, place), own)
      return await work(() => heeding(store.sealing.open(objects.get(key), place), own), own)
    } finally {
      await objects.remove(key)
    }
  })
}

/** Long archives are read for long. */
async function* heeding(content: AsyncIterable<Uint8Array>, { signal }: Control): AsyncGenerator<Uint8Array> {
  for await (const chunk of content) {
    signal.throwIfAborted()
    yield chunk
  }
}

/** Removes what a daemon that died has left of archives. */
export async function sweepImports({
  objects,
  running,
}: Pick<Context, 'objects' | 'running'>): Promise<void> {
  for (const { key } of await Array.fromAsync(objects.list(prefix)))
    if (!running.has(workOf(key.slice(prefix.length)))) await objects.remove(key)
}
