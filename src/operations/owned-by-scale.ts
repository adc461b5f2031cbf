import type { Control } from '../domain/control.ts'
import { unheardFormation } from '../domain/unheard-formation.ts'
import type { Context } from './context.ts'
import { readRelease } from './read-release.ts'

/** Tells whoever promotes a release what of its file is not heard. */
export async function tellUnheard(
  context: Context,
  app: string,
  release: string,
  control: Control,
): Promise<void> {
  const live = (await context.store.apps.get(app))?.release
  if (!live || live === release) return
  const reading = { underPolicy: false }
  const [next, before] = await Promise.all([
    readRelease(context, app, release, reading),
    readRelease(context, app, live, reading),
  ])
  const owned = await context.store.formations.get(app)
  const { processes } = next.manifest
  for (const { type, text } of unheardFormation(processes, owned, before.manifest.processes))
    control.report({ type: 'log', process: type, text, time: context.now().toISOString() })
}
