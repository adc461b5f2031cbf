import type { Control } from '../domain/control.ts'
import type { Receipt } from '../domain/deployment.ts'
import type { Change } from '../domain/engine.ts'
import { RackError } from '../domain/error.ts'
import { DeadlineError, startDeadline } from '../lib/deadline.ts'
import { pause } from '../lib/poll.ts'
import { carryOutStep, type Rollout } from './carry-out-step.ts'
import { endingOf, untouched } from './ending.ts'
import { withAdvice } from './failure.ts'
import { next } from './next.ts'
import { receiptOf } from './receipt.ts'
import type { ObservedCopy, Runtime } from './runtime.ts'
import { after, beginState, stepKey, type RolloutState, type Step } from './state.ts'
import { targetOf, type Target } from './target.ts'
import { startTrace } from './trace.ts'

/** No rollout lasts longer, whatever its types say. */
const rolloutDeadlineMs = 600_000
const undoDeadlineMs = 120_000
const undoAttempts = 3
/** What is left to do once every new copy serves. */
const leaveDeadlineMs = 120_000

/**
 * Brings an app to a plan: observes what is there, asks `next` what to do and does it, until there is nothing left to
 * do. Until the old copies are told to leave, every failure goes back to what was live by the same loop.
 */
export async function rollOut(runtime: Runtime, change: Change, control: Control): Promise<Receipt> {
  using deadline = startDeadline({
    deadlineMs: rolloutDeadlineMs,
    what: 'the deploy',
    signal: control.signal,
  })
  const rollout: Rollout = {
    runtime,
    change,
    trace: startTrace(control),
    started: new Set(),
    guards: new Map(),
    before: new Set(),
    awaySince: new Map(),
    hasBegun: false,
    hasLeft: false,
  }
  try {
    return await goForward(rollout, { signal: deadline.signal, report: control.report })
  } catch (error) {
    // Past that no end but a bug's comes here, and there is nothing to go back to.
    if (rollout.hasLeft) throw error
    const ending = endingOf(error, control, deadline)
    const lack = rollout.hasBegun ? await goBack(rollout, control) : null
    if (lack !== null) change.onHalfUndone?.()
    throw untouched(withAdvice(ending, change, awayText(rollout)), lack, change.live !== null)
  }
}

/** Which types served nobody meanwhile, and for how long; null where all went on serving. */
function awayText({ awaySince }: Rollout): string | null {
  const seconds = (sinceMs: number) => Math.ceil((performance.now() - sinceMs) / 1000)
  const away = Array.from(awaySince, ([type, sinceMs]) => `${type} was away for ${seconds(sinceMs)} s`)
  return away.length === 0 ? null : away.join(', ')
}

async function goForward(rollout: Rollout, control: Control): Promise<Receipt> {
  const { runtime, change, trace } = rollout
  control.signal.throwIfAborted()
  const { plan, leaving, releaseCommands, surges, only } = change
  const isNewRelease = change.live?.release !== plan.release
  const commands = releaseCommands.due
  const target = targetOf(plan, runtime.identify, { leaving, commands, surges, only, isNewRelease })
  const begun = beginState(await trace.phase('look', null, () => runtime.find(control)))
  rollout.before = begun.found
  const settled = await advance(rollout, target, begun, control)
  return receiptOf(begun, settled, target, trace.entries)
}

/**
 * Leaves the app as it was. Under a signal of its own, since the caller's may be what ended it. What cannot be undone
 * now, because the engine is away, is told of and left to the next rollout, which finds it.
 * @returns why not all of it could be undone; null when it is
 */
async function goBack(rollout: Rollout, { signal, report }: Control): Promise<string | null> {
  const { runtime, change, trace, started, before } = rollout
  using deadline = startDeadline({ deadlineMs: undoDeadlineMs, what: 'a deploy to be undone' })
  const control: Control = { signal: deadline.signal, report }
  const plan = change.live ?? { ...change.plan, processes: [] }
  const keepsCommands = isStop(signal)
  const known = { leaving: started, before, surges: change.surges, only: change.only }
  const target = targetOf(plan, runtime.identify, { ...known, isUndo: true, keepsCommands })
  const goOnce = async () => {
    await advance(rollout, target, beginState(await runtime.find(control)), control)
  }
  try {
    await trace.phase('undo', null, async () => await fewTimes(goOnce, control))
    return null
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    const text = `could not undo all of it: ${why}; the next deploy will`
    report({ type: 'log', text, time: new Date().toISOString() })
    return why
  }
}

/** A daemon that stops: another one goes on with what is under way. */
function isStop({ reason }: AbortSignal): boolean {
  return reason instanceof RackError && reason.code === 'unreachable'
}

/** What stands in the way may be over in a moment, as a router that is started again. */
async function fewTimes(work: () => Promise<void>, { signal }: Control): Promise<void> {
  for (let left = undoAttempts - 1; ; left--) {
    try {
      return await work()
    } catch (error) {
      // Anything else is a bug, or an engine that is away: neither is over in a moment.
      const mayPass = error instanceof RackError && error.code !== 'engine-unavailable'
      if (left === 0 || !mayPass || signal.aborted) throw error
    }
    await pause(1000, signal)
  }
}

/** Does what is next until nothing is; steps that do not wait for each other go on side by side. */
async function advance(
  rollout: Rollout,
  target: Target,
  begun: RolloutState,
  control: Control,
): Promise<RolloutState> {
  const failing = new AbortController()
  const inner: Control = { signal: AbortSignal.any([control.signal, failing.signal]), report: control.report }
  const underWay = new Map<string, Promise<void>>()
  const failures: unknown[] = []
  let state = begun

  const begin = (step: Step): void => {
    rollout.hasBegun = true
    const work = async () => {
      try {
        const made = await underSignal(rollout, step, inner, (own) =>
          carryOutStep(rollout, target, step, own),
        )
        state = after(state, step, made)
      } catch (error) {
        failures.push(error)
        failing.abort(error)
      } finally {
        underWay.delete(stepKey(step))
      }
    }
    underWay.set(stepKey(step), work())
  }

  const nextSteps = (now: RolloutState): Step[] => {
    try {
      return next(now, target)
    } catch (error) {
      failures.push(error)
      failing.abort(error)
      return []
    }
  }

  for (;;) {
    if (failures.length === 0 && !control.signal.aborted) {
      for (const step of nextSteps(state)) if (!underWay.has(stepKey(step))) begin(step)
    }
    if (underWay.size === 0) break
    await Promise.race(underWay.values())
  }
  if (failures.length > 0) throw failures[0]
  // What is told to leave is the last of it: who wants an end after that comes too late, and the new release is live.
  if (!rollout.hasLeft) control.signal.throwIfAborted()
  return state
}

/** When the old copies leave it only goes forward, whoever wants it to stop. */
async function underSignal(
  rollout: Rollout,
  step: Step,
  control: Control,
  task: (control: Control) => Promise<ObservedCopy[]>,
): Promise<ObservedCopy[]> {
  if (step.do !== 'retire') return await task(control)
  rollout.hasLeft = true
  using deadline = startDeadline({ deadlineMs: leaveDeadlineMs, what: 'old processes to leave' })
  try {
    return await task({ signal: deadline.signal, report: control.report })
  } catch (error) {
    if (!(error instanceof RackError || error instanceof DeadlineError)) throw error
    // Traffic has moved: whoever could not be told gets no request, and is told by the next rollout.
    const text = `could not tell all old processes to leave: ${error.message}; the next deploy will`
    control.report({ type: 'log', text, time: new Date().toISOString() })
    return step.copies.map((copy) => ({ ...copy, mark: 'draining' }))
  }
}
