import type { Control } from '../../domain/control.ts'
import type { Context } from '../context.ts'
import { changeOf } from '../journal/start-operation.ts'
import { appsWithStandIns, readStandIns } from './current-volumes.ts'
import { dropOthers } from './drop-others.ts'
import { isBeingRestored } from './restore-volume.ts'

/** Drops what a daemon that died in the middle of a restore has left. To be called when its rows are recovered. */
export async function sweepVolumes(context: Context, control: Control): Promise<void> {
  for (const app of await appsWithStandIns(context)) {
    await context.turns.run(app, control.signal, async () => {
      if (await changeOf(context, app)) return
      const left = [...(await readStandIns(context, app))].filter(([, { others }]) => others.length > 0)
      for (const [name] of left)
        if (!isBeingRestored(context, app, name)) await dropOthers(context, { app, name }, control)
    })
  }
}
