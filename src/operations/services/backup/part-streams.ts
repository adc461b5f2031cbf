import type { Control } from '../../../domain/control.ts'
import { appOwner } from '../../../domain/owner.ts'
import { pulled } from '../../../lib/pulled.ts'
import type { Context } from '../../context.ts'
import { standInOf } from '../../volume-data/current-volumes.ts'

/** What something writes out, as a stream; whoever leaves it ends that. */
export function flowing(
  control: Control,
  produce: (out: (chunk: Uint8Array) => Promise<void>, own: Control) => Promise<void>,
): AsyncIterable<Uint8Array> {
  return pulled((out, left) => produce(out, { ...control, signal: AbortSignal.any([control.signal, left]) }))
}

/** A tar of what an app has mounted as one of its volumes. @param name as its file calls it */
export async function volumeContent(
  context: Context,
  { app, name }: { app: string; name: string },
  control: Control,
): Promise<AsyncIterable<Uint8Array>> {
  const { current } = await standInOf(context, app, name)
  return flowing(control, (out, own) => context.engine.copyVolume(appOwner(app), current, { out }, own))
}

export async function* jsonOf(value: unknown): AsyncGenerator<Uint8Array> {
  yield Buffer.from(JSON.stringify(value))
}
