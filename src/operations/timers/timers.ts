import type { Control } from '../../domain/control.ts'
import { maskText, type Environment } from '../../domain/environment.ts'
import { RackError } from '../../domain/error.ts'
import { planRelease } from '../../domain/plan.ts'
import { nextTimes, timerName, turnOf, type Timer, type TimerKey, type TimerRun } from '../../domain/timer.ts'
import type { Context } from '../context.ts'
import { findApp } from '../find.ts'
import type { TimerInfo } from '../operations.ts'
import { readRelease } from '../read-release.ts'
import { startTimerRun } from './start-timer-run.ts'

/** How many times to come are told of a timer. */
const toldTimes = 5

/** The timers of what is live, each with its newest run. */
export async function listTimers(context: Context, app: string): Promise<TimerInfo[]> {
  const found = await readTimers(context, app)
  return await Promise.all(found.map(async (timer) => await withRuns(context, timer)))
}

/** @throws not-found; conflict when several types have a timer of that name */
export async function getTimer(context: Context, app: string, name: string): Promise<TimerInfo> {
  return await withRuns(context, await findTimer(context, app, name))
}

/**
 * Runs a timer now, as if it were time.
 * @throws conflict when its rule skips a run while another is not over
 */
export async function runTimer(
  context: Context,
  app: string,
  name: string,
  control: Control,
): Promise<TimerRun> {
  const { store } = context
  const { process, timer } = await findTimer(context, app, name)
  const kept = await store.timers.list()
  const live = kept.find((one) => one.app === app && one.process === process && one.name === timer.name)
  if (!live) throw notLive(app, name)
  const open = (await store.timers.open()).filter((run) => isOf(run, { app, process, timer: timer.name }))
  const turn = turnOf(timer.overlap, open)
  if (turn.status === 'skipped') {
    throw new RackError('conflict', `${timer.name} of ${app} is not run now: ${turn.reason}`, {
      hint: `See what goes on: rack timers history ${name} --app ${app}; end it: rack ps stop PROCESS --app ${app}`,
      details: open,
    })
  }
  const about = { actor: context.caller.name, due: context.now().toISOString(), missed: 0, seenTo: null }
  const run = await store.timers.fire(live, { ...about, ...turn })
  if (!run) throw notLive(app, name)
  // Where others are not over, whoever sees to the timers starts it when they are.
  if (open.length === 0) await startTimerRun(context, run, control)
  return (await newest(context, run)) ?? run
}

/** What has become of the runs of an app's timers, newest first. */
export async function timerHistory(
  context: Context,
  app: string,
  { timer: name, limit }: { timer?: string; limit: number },
): Promise<TimerRun[]> {
  await findApp(context, app)
  if (name === undefined) return await context.store.timers.history(app, {}, limit)
  const [, process, timer = name] = /^([^.]+)\.(.+)$/.exec(name) ?? []
  const runs = await context.store.timers.history(app, { ...(process && { process }), timer }, limit)
  // One that never ran is known by the release that has it.
  if (runs.length === 0) await findTimer(context, app, name)
  return runs
}

interface FoundTimer {
  app: string
  process: string
  timer: Timer
  environment: Environment
}

async function readTimers(context: Context, app: string): Promise<FoundTimer[]> {
  const { release } = await findApp(context, app)
  if (release === null) return []
  const input = await readRelease(context, app, release, { underPolicy: false })
  const { environment } = input
  return planRelease(input).processes.flatMap(({ type, timers }) =>
    timers.map((timer) => ({ app, process: type, timer, environment })),
  )
}

async function findTimer(context: Context, app: string, name: string): Promise<FoundTimer> {
  const all = await readTimers(context, app)
  const whole = ({ process, timer }: FoundTimer) => timerName({ process, timer: timer.name })
  const found = all.filter((one) => whole(one) === name || one.timer.name === name)
  const [first] = found
  if (!first) throw notLive(app, name)
  if (found.length === 1) return first
  throw new RackError('conflict', `several processes of ${app} have a timer "${name}"`, {
    hint: `Name one: ${found.map(whole).join(', ')}`,
  })
}

function notLive(app: string, name: string): RackError {
  return new RackError('not-found', `what is live of ${app} has no timer "${name}"`, {
    hint: `See them with: rack timers --app ${app}`,
  })
}

function isOf(run: TimerRun, key: TimerKey): boolean {
  return run.app === key.app && run.process === key.process && run.timer === key.timer
}

async function withRuns(context: Context, found: FoundTimer): Promise<TimerInfo> {
  const { app, process, timer, environment } = found
  const last = await newest(context, { app, process, timer: timer.name })
  const command = maskText(timer.command, environment)
  return { ...timer, app, process, command, next: nextTimes(timer, context.now(), toldTimes), last }
}

async function newest({ store }: Context, { app, process, timer }: TimerKey): Promise<TimerRun | null> {
  const [run] = await store.timers.history(app, { process, timer }, 1)
  return run ?? null
}
