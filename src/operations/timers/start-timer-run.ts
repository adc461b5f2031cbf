import type { Control } from '../../domain/control.ts'
import { codeOf, knownError, type ErrorCode } from '../../domain/error.ts'
import { appOwner } from '../../domain/owner.ts'
import type { ProcessPlan } from '../../domain/plan.ts'
import type { Timer, TimerRun } from '../../domain/timer.ts'
import type { Context } from '../context.ts'
import { livePlanOf } from '../read-release.ts'
import { admitRun, runUnderJournal } from '../run-process.ts'

/** What passes: the run waits on. */
const passing: ReadonlySet<ErrorCode> = new Set(['engine-unavailable', 'unreachable', 'store-failed'])

/**
 * Starts a run that waits as a process of the live release. One that cannot be started has failed, and says why; where
 * the engine or the store is away it waits on.
 * @returns whether it goes on
 */
export async function startTimerRun(context: Context, run: TimerRun, control: Control): Promise<boolean> {
  try {
    return await start(context, run, control)
  } catch (error) {
    if (context.running.isInterrupted() || control.signal.aborted || passing.has(codeOf(error))) return false
    const { message } = knownError(error)
    context.log('warn', `the run of ${run.process}.${run.timer} of ${run.app} has failed`, {
      reason: message,
    })
    await context.store.timers.drop(run.id, 'failed', message)
    return false
  }
}

async function start(context: Context, run: TimerRun, control: Control): Promise<boolean> {
  const { store } = context
  const { app, process: type } = run
  const found = await findLive(context, run)
  if (!found) {
    await store.timers.drop(run.id, 'skipped', 'what is live has no such timer')
    return false
  }
  const { release, process, timer } = found
  using _room = await admitRun(context, app, process, control)
  const operation = await store.timers.begin(run, { release, process: type, timer: run.timer })
  if (!operation) return false
  const about = { kind: 'timer' as const, release, process, timeoutMs: timer.timeoutMs }
  const oneOff = { owner: appOwner(app), command: ['sh', '-c', timer.command], ...about }
  const started = await runUnderJournal(context, { oneOff, begin: async () => operation }, null, control)
  // It goes on by itself; its end closes its row, and with that the run.
  started.exit.catch(() => undefined)
  await store.timers.note(run.id, { processId: started.process.id })
  return true
}

interface Found {
  release: string
  process: ProcessPlan
  timer: Timer
}

async function findLive(context: Context, { app, process, timer }: TimerRun): Promise<Found | null> {
  const plan = await livePlanOf(context, app)
  const processPlan = plan?.processes.find(({ type }) => type === process)
  const found = processPlan?.timers.find(({ name }) => name === timer)
  return plan && processPlan && found ? { release: plan.release, process: processPlan, timer: found } : null
}
