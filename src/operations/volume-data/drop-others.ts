import type { Control } from '../../domain/control.ts'
import { codeOf, RackError } from '../../domain/error.ts'
import { appOwner } from '../../domain/owner.ts'
import { DeadlineError } from '../../lib/deadline.ts'
import { until } from '../../lib/poll.ts'
import type { Context } from '../context.ts'
import { keepStandIn, standInOf } from './current-volumes.ts'

/** How long an old volume is waited for, which copies that drain have. */
const waitMs = 20_000

interface Named {
  app: string
  name: string
}

/**
 * Drops what stood for a volume, or was to: nothing of it is wanted. What somebody still has stays for the next time. Safe to
 * repeat.
 */
export async function dropOthers(
  context: Context,
  { app, name }: Named,
  control: Control = { signal: AbortSignal.timeout(120_000), report: () => undefined },
): Promise<void> {
  const { others } = await standInOf(context, app, name)
  if (others.length === 0) return
  const left = new Set(others)
  const drop = async () => {
    for (const other of left) if (await isDropped(context, app, other, control)) left.delete(other)
    return left.size === 0
  }
  const wait = { deadlineMs: waitMs, intervalMs: 250, what: `${others.join(', ')} to be free` }
  await until(drop, { ...wait, signal: control.signal }).catch((error: unknown) => {
    if (!(error instanceof DeadlineError)) throw error
    context.log('info', 'a volume that is not mounted any more is held', { app, volumes: [...left] })
  })
  const { current } = await standInOf(context, app, name)
  await keepStandIn(context, { app, name }, { current, others: [...left] })
}

async function isDropped(
  { engine }: Context,
  app: string,
  volume: string,
  control: Control,
): Promise<boolean> {
  try {
    await engine.removeVolume(appOwner(app), volume, control)
    return true
  } catch (error) {
    const code = codeOf(error)
    if (error instanceof RackError && (code === 'not-found' || code === 'conflict'))
      return code === 'not-found'
    throw error
  }
}
