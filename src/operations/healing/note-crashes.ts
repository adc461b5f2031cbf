import { rackItself } from '../../domain/caller.ts'
import type { Control } from '../../domain/control.ts'
import { codeOf, knownError, RackError } from '../../domain/error.ts'
import type { AppProcess } from '../../domain/process.ts'
import { changeLive } from '../change-live.ts'
import type { Context } from '../context.ts'
import { liveReleaseOf } from '../find.ts'
import { targetOfRollback } from '../promote-release.ts'
import { livePlanOf } from '../read-release.ts'
import { firstMinuteMs, firstMinuteOf, newCrashes, type FirstMinute } from './first-minutes.ts'

/** Takes up the first minutes that a daemon which is no more has left. */
export async function recallFirstMinutes(context: Context): Promise<void> {
  const { store, firstMinutes } = context
  const nowMs = context.now().getTime()
  for (const { name, release } of await store.apps.list()) {
    const [newest] = await store.operations.list(name, 1)
    const endedMs = Date.parse(newest?.ended ?? '')
    const isPromote = newest?.kind === 'promote'
    const isOver = newest?.status !== 'complete' || !(nowMs - endedMs < firstMinuteMs)
    if (!isPromote || isOver || newest.intent.release !== release || firstMinutes.has(name)) continue
    const plan = await livePlanOf(context, name)
    if (plan) firstMinutes.set(name, firstMinuteOf(newest, plan, endedMs))
  }
}

/** Tells the promote of an app of the copies that have crashed within its first minute, and goes back where that is wanted. */
export async function noteCrashes(
  context: Context,
  app: string,
  seen: AppProcess[],
  control: Control,
): Promise<void> {
  const { firstMinutes, store } = context
  const minute = firstMinutes.get(app)
  if (!minute) return
  if (context.now().getTime() > minute.untilMs) return void firstMinutes.delete(app)
  const crashes = newCrashes(minute, seen)
  if (crashes.length === 0) return
  for (const crash of crashes) {
    minute.crashed.set(crash.process, crash)
    context.log('warn', `a process of ${app} has crashed in the first minute of ${minute.release}`, {
      ...crash,
    })
    minute.tell?.(crash)
  }
  await store.operations.completeReceipt(minute.operation, { crashed: [...minute.crashed.values()] })
  const { previous } = minute
  if (previous === null || !crashes.some(({ type }) => minute.rollsBack.has(type))) return
  firstMinutes.delete(app)
  void rollBack(context, app, { ...minute, previous }, control)
}

/** A change like any other, but that it gives way to whoever wants one. Never rejects. */
async function rollBack(
  context: Context,
  app: string,
  { release, previous }: FirstMinute & { previous: string },
  control: Control,
): Promise<void> {
  const findTarget = async () => {
    const live = await liveReleaseOf(context, app)
    if (live !== release) throw new RackError('conflict', `${live} is live by now`)
    const how = { underPolicy: false, runsCommands: false }
    return await targetOfRollback(context, app, previous, how, control)
  }
  try {
    await changeLive(context, 'rollback', { app, actor: rackItself.name, findTarget }, control)
    context.log('info', `${app} is back at what ran before ${release}`, { previous })
  } catch (error) {
    if (control.signal.aborted || context.running.isInterrupted()) return
    const facts = { code: codeOf(error), reason: knownError(error).message }
    context.log('error', `${app} is not back at what ran before ${release}`, facts)
  }
}
