import type { Control } from '../../domain/control.ts'
import { codeOf } from '../../domain/error.ts'
import type { Operation } from '../../domain/operation.ts'
import { appOwner } from '../../domain/owner.ts'
import type { Context } from '../context.ts'
import { removeApp } from '../journal/carry-out-deletion.ts'
import { keepStandIn } from '../volume-data/current-volumes.ts'

/** Takes away all that an import has made; its row goes last. Safe to repeat, so recovery calls it too. */
export async function undoImport(
  context: Context,
  { app, intent: { imported } }: Operation,
  control: Control,
): Promise<void> {
  const { engine } = context
  const { volumes, images } = imported ?? { volumes: [], images: [] }
  const owner = appOwner(app)
  // Volumes that an app of that name has left before are no part of it.
  await engine.remove(owner, { volumes: false }, control)
  for (const name of volumes) {
    await engine.removeVolume(owner, name, control).catch((error: unknown) => {
      if (codeOf(error) !== 'not-found') throw error
    })
    await keepStandIn(context, { app, name }, { current: name, others: [] })
  }
  await engine.forgetImages(app, images, control)
  await removeApp(context, app, { volumes: false }, control)
}
