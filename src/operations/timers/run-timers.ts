import type { Control } from '../../domain/control.ts'
import { codeOf } from '../../domain/error.ts'
import { appOwner } from '../../domain/owner.ts'
import { dueRun, isSetBack, timerName, turnOf, type LiveTimer, type TimerRun } from '../../domain/timer.ts'
import type { Context } from '../context.ts'
import { startTimerRun } from './start-timer-run.ts'

/** How many runs of an app's timers go on at once; the others wait. */
const mostRunsAtOnce = 5

/** The timers of a rack, as one daemon sees to them. */
export interface TimerKeeper {
  /**
   * Sees to what is due: notes each time that has come, with what becomes of it, then starts what waits and may begin.
   * What dies in between is gone on with by the next call, of whichever daemon. Apps that are still being brought back
   * wait.
   */
  run(control: Control): Promise<void>
}

export function createTimerKeeper(context: Context): TimerKeeper {
  const ending = new Set<string>()
  return {
    async run(control) {
      const timers = await readyOnes(context, await context.store.timers.list())
      if (timers.length > 0) await noteTimes(context, timers)
      const open = await readyOnes(context, await context.store.timers.open())
      const byApp = [...Map.groupBy(open, ({ app }) => app).values()]
      await Promise.all(
        byApp.map(async (runs) => await startRuns(context, { runs, timers, ending }, control)),
      )
    },
  }
}

/** Those of apps that run, and whose open rows have been taken up. */
async function readyOnes<T extends { app: string }>({ store, recovery }: Context, all: T[]): Promise<T[]> {
  if (all.length === 0) return []
  const apps = await store.apps.list()
  const live = apps.filter(({ release, status }) => release !== null && !isOver.has(status))
  const names = live.map(({ name }) => name)
  const waiting = new Set(recovery.waiting(names))
  const ready = new Set(names.filter((name) => !waiting.has(name)))
  return all.filter(({ app }) => ready.has(app))
}

const isOver: ReadonlySet<string> = new Set(['deleting', 'failed'])

async function noteTimes(context: Context, timers: LiveTimer[]): Promise<void> {
  const open = await context.store.timers.open()
  for (const timer of timers) {
    const own = open.filter((run) => isOf(run, timer))
    await noteTime(context, timer, own)
  }
}

function isOf({ app, process, timer }: TimerRun, live: LiveTimer): boolean {
  return app === live.app && process === live.process && timer === live.name
}

async function noteTime(context: Context, timer: LiveTimer, open: TimerRun[]): Promise<void> {
  const { store } = context
  const now = context.now()
  const since = new Date(timer.since)
  if (isSetBack(since, now)) {
    const facts = { app: timer.app, timer: timer.name, from: timer.since, to: now.toISOString() }
    context.log('warn', 'the clock was set back: times count from now on', facts)
    return await store.timers.moveSince(timer, now.toISOString())
  }
  const due = dueRun(timer, since, now)
  if (!due) return
  const about = { actor: 'schedule', due: due.due.toISOString(), missed: due.missed }
  await store.timers.fire(timer, { ...about, seenTo: now.toISOString(), ...turnOf(timer.overlap, open) })
}

interface OpenRuns {
  runs: TimerRun[]
  timers: LiveTimer[]
  /** Operations whose processes are being ended. */
  ending: Set<string>
}

/** Starts those runs of an app that may begin, in the order in which they became due. */
async function startRuns(
  context: Context,
  { runs, timers, ending }: OpenRuns,
  control: Control,
): Promise<void> {
  const going = runs.filter(({ status }) => status === 'running')
  for (const run of runs.filter(({ status }) => status === 'waiting')) {
    const before = going.find((other) => timerName(other) === timerName(run))
    const rule = timers.find((timer) => isOf(run, timer))
    if (before && rule?.overlap === 'replace')
      await endForNext(context, { before, next: run, ending }, control)
    if (before || going.length >= mostRunsAtOnce) continue
    if (await startTimerRun(context, run, control)) going.push(run)
  }
}

/** Begins to end a run whose time is over; that it has ended is seen at a later call. */
async function endForNext(
  context: Context,
  { before, next, ending }: { before: TimerRun; next: TimerRun; ending: Set<string> },
  control: Control,
): Promise<void> {
  const { engine, store } = context
  const { id, app, operation } = before
  if (operation === null || ending.has(operation)) return
  const [found] = await engine.processes({ owner: appOwner(app), operation }, control)
  if (!found) return
  ending.add(operation)
  await store.timers.note(id, { reason: `ended for the run of ${next.due}` })
  const stopping = engine.stop(found.id, control).catch((error: unknown) => {
    context.log('warn', `${found.id} of ${app} cannot be ended`, { code: codeOf(error) })
  })
  void stopping.then(() => ending.delete(operation))
}
