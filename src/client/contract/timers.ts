import * as z from 'zod'
import type { LiveTimer, Timer, TimerRun } from '../../domain/timer.ts'
import type { PlannedTimer } from '../../domain/timer-plan.ts'
import { paths } from '../paths.ts'
import { appParams, limit, op, time } from './op.ts'

/** A timer of a plan. */
export const timerOfPlan = z.object({
  name: z.string(),
  schedule: z.string().describe('Minute, hour, day, month and weekday'),
  timezone: z.string(),
  command: z.string().describe('For a shell; values of the environment are masked'),
  overlap: z.enum(['skip', 'queue', 'replace']) satisfies z.ZodType<LiveTimer['overlap']>,
  timeoutMs: z.number().nullable(),
}) satisfies z.ZodType<Timer>

/** When a timer of a release runs next. */
export const plannedTimer = z.object({
  process: z.string(),
  name: z.string(),
  schedule: z.string(),
  timezone: z.string(),
  next: time.nullable(),
}) satisfies z.ZodType<PlannedTimer>

const timerRun = z
  .object({
    id: z.number(),
    app: z.string(),
    process: z.string(),
    timer: z.string(),
    actor: z.string().describe('`schedule`, or who asked for it'),
    due: time,
    missed: z.number().describe('How many times had passed unseen, which this run makes up for'),
    status: z.enum(['waiting', 'running', 'complete', 'failed', 'skipped']),
    reason: z.string().nullable(),
    operation: z.string().nullable(),
    processId: z.string().nullable(),
    release: z.string().nullable(),
    started: time.nullable(),
    ended: time.nullable(),
    exitCode: z.number().nullable(),
  })
  .meta({ id: 'TimerRun' }) satisfies z.ZodType<TimerRun>

const timerInfo = z
  .object({
    ...timerOfPlan.shape,
    app: z.string(),
    process: z.string(),
    next: z.array(time),
    last: timerRun.nullable(),
  })
  .meta({ id: 'Timer' })

const timerParams = z.object({ app: z.string(), timer: z.string() })

/** Commands that run at given times. */
export const timerOperations = {
  listTimers: op({
    ...paths.listTimers,
    summary: 'The timers of the live release, each with its next times and its newest run.',
    params: appParams,
    reply: z.array(timerInfo),
  }),
  getTimer: op({
    ...paths.getTimer,
    summary: 'One timer, by its name, or by `type.name` where several types have one of that name.',
    params: timerParams,
    reply: timerInfo,
  }),
  runTimer: op({
    ...paths.runTimer,
    summary: 'Run a timer now; refused where its rule skips a run while another is not over.',
    params: timerParams,
    reply: timerRun,
  }),
  timerHistory: op({
    ...paths.timerHistory,
    summary: "What has become of the runs of an app's timers, newest first; of each the last hundred.",
    params: appParams,
    query: z.strictObject({ timer: z.string().optional(), limit }),
    reply: z.array(timerRun),
  }),
}
