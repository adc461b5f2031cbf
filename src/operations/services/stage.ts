import type { Control } from '../../domain/control.ts'
import { isOneOf, knownError, RackError } from '../../domain/error.ts'
import type { Service, ServiceRun } from '../../domain/service.ts'
import { serviceVolumes } from '../../domain/service-plan.ts'
import { DeadlineError } from '../../lib/deadline.ts'
import { until } from '../../lib/poll.ts'
import type { Context } from '../context.ts'
import { serviceOwner, untilReady } from './bring-up.ts'
import { runBeside, type Beside } from './run-beside.ts'

/** How long what was staged may take to be gone, whatever was cancelled; its own grace included. */
const endMs = 180_000
/** How long a copy that was stopped may take to let go of a volume. */
const heldMs = 90_000

/**
 * A server of a service beside the service itself, on volumes of which nothing else runs: on the service's own network
 * alone, so that no app reaches it. It is a one-off, which no keeper brings back; a daemon that finds one of before ends it.
 * Disposed of before its `end`, it is killed: what it has is not wanted then.
 */
export interface Stage extends AsyncDisposable {
  /** The process that it is; another one after a restart. */
  readonly copy: string
  /** Aborts, besides for its caller, when the server has ended by itself. */
  signal: AbortSignal
  /** For a type that reads what was put back when it starts. */
  restart(): Promise<void>
  /** Stops it as its service is stopped; settles when its volumes are free. Safe to repeat. */
  end(): Promise<void>
}

/** Settles when it takes a login and answers. @throws service-failed */
export async function openStage(
  context: Context,
  service: Service,
  run: ServiceRun,
  control: Control,
): Promise<Stage> {
  const failing = new AbortController()
  const signal = AbortSignal.any([control.signal, failing.signal])
  let running: Beside | null = null
  const start = async () => {
    const begun = await runBeside(context, service, run, { type: 'stage', command: run.command ?? [] })
    running = begun
    const onEnd = (error: RackError) => running === begun && failing.abort(error)
    begun.exit.then(
      (code) => onEnd(endedError(service, code)),
      (error: unknown) => onEnd(knownError(error)),
    )
    await untilReady(context, { ...service, copy: begun.copy }, { ...control, signal })
  }
  const leave = async (how: (one: Beside) => Promise<void>) => {
    const one = running
    running = null
    if (one) await endBeside(one, how)
  }
  const stop = (one: Beside) =>
    stopOne(context, one.copy, { signal: AbortSignal.timeout(endMs), report: () => undefined })
  const stage: Stage = {
    get copy() {
      return running?.copy ?? ''
    },
    signal,
    restart: async () => {
      await leave(stop)
      await start()
    },
    end: () => leave(stop),
    [Symbol.asyncDispose]: () => leave(async ({ life }) => life.abort()),
  }
  try {
    await start()
    return stage
  } catch (error) {
    await stage[Symbol.asyncDispose]()
    throw error
  }
}

/** Nobody knows it any more: what cannot be ended so is killed. */
async function endBeside(one: Beside, how: (one: Beside) => Promise<void>): Promise<void> {
  try {
    await how(one)
  } catch (error) {
    one.life.abort()
    throw error
  } finally {
    await one.exit.catch(() => undefined)
  }
}

function endedError({ name }: Service, code: number): RackError {
  return new RackError(
    'service-failed',
    `a server of ${name} ended with ${code} before it had all of its data`,
    {
      hint: `See what it said: rack services logs ${name}`,
    },
  )
}

/** Ends what a daemon that died has left beside a service. Safe to repeat. */
export async function endStages(context: Context, name: string, control: Control): Promise<void> {
  const owner = serviceOwner(name)
  const left = async () =>
    (await context.engine.processes({ owner, all: true }, control)).filter(({ kind }) => kind === 'one-off')
  for (const { id, ended } of await left()) if (ended === null) await stopOne(context, id, control)
  const wait = { deadlineMs: endMs, intervalMs: 100, what: `what ran beside ${name} to be gone` }
  await until(async () => (await left()).length === 0, { ...wait, signal: control.signal })
}

/** Volumes of a service that it neither runs on nor keeps: what was put there is not wanted, or not any more. */
export async function otherVolumes(
  { engine }: Pick<Context, 'engine'>,
  name: string,
  run: ServiceRun,
  control: Control,
): Promise<string[]> {
  const kept = new Set([run, run.previous ?? run].flatMap(serviceVolumes))
  const all = await engine.volumes({ owner: serviceOwner(name) }, control)
  return all.flatMap((volume) => (kept.has(volume.name) ? [] : volume.name))
}

/** A copy that has been stopped may hold one for a while yet. Safe to repeat. @throws conflict for one that stays held */
export async function dropVolumes(
  { engine }: Pick<Context, 'engine'>,
  name: string,
  volumes: string[],
  control: Control,
): Promise<void> {
  for (const volume of volumes) {
    let held: RackError | null = null
    const isGone = async () => {
      try {
        await engine.removeVolume(serviceOwner(name), volume, control)
        return true
      } catch (error) {
        if (!isOneOf(error, 'not-found', 'conflict')) throw error
        held = error
        return error.code === 'not-found'
      }
    }
    const wait = { deadlineMs: heldMs, intervalMs: 200, what: `the volume ${volume} of ${name} to be free` }
    await until(isGone, { ...wait, signal: control.signal }).catch((error: unknown) => {
      throw error instanceof DeadlineError && held ? held : error
    })
  }
}

/** One that has ended, or is gone, is no failure. */
async function stopOne({ engine }: Context, copy: string, control: Control): Promise<void> {
  await engine.stop(copy, control).catch((error: unknown) => {
    if (!isOneOf(error, 'not-found', 'conflict')) throw error
  })
}
