import type { Control } from '../domain/control.ts'
import { RackError } from '../domain/error.ts'
import { changeLive } from './change-live.ts'
import type { Context } from './context.ts'
import { liveReleaseOf } from './find.ts'
import type { PromoteResult } from './operations.ts'
import { livePlanOf, type Target } from './read-release.ts'

/** Replaces the copies of one type, or of all, dropping nothing. */
export async function restartApp(
  context: Context,
  app: string,
  type: string | null,
  control: Control,
): Promise<PromoteResult> {
  const findTarget = async (): Promise<Target> => {
    const release = await liveReleaseOf(context, app)
    const known = (await livePlanOf(context, app))?.processes.map((processPlan) => processPlan.type) ?? []
    if (type !== null && !known.includes(type)) {
      throw new RackError('not-found', `${app} has no process type "${type}"`, {
        hint: `It has: ${known.join(', ')}`,
      })
    }
    const at = context.now().toISOString()
    const restart = { types: type ? [type] : ('all' as const), at }
    return { app, release, restart, underPolicy: false }
  }
  return changeLive(context, 'restart', { app, actor: context.caller.name, findTarget }, control)
}
