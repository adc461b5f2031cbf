import { setTimeout as pause } from 'node:timers/promises'
import { RackError } from '../../../domain/error.ts'
import type { ProcessPlan } from '../../../domain/plan.ts'
import { DeadlineError, withDeadline } from '../../../lib/deadline.ts'
import { waitForExit, type Copy } from '../containers/copies.ts'
import { endedOutOfMemory } from '../containers/out-of-memory.ts'
import { runCheck } from '../processes/exec-call.ts'
import {
  beginGate,
  gateRules,
  judge,
  probeDelayMs,
  settleMs,
  type GateRules,
  type Observation,
  type Verdict,
} from './gate.ts'
import type { EngineParts } from '../parts.ts'
import { probeCopy } from './probe.ts'

export interface GateOutcome {
  verdict: Exclude<Verdict, { is: 'waiting' }>
  /** What the last probe or check saw. */
  probe: string | null
}

/** Watches a started copy until it is known whether it may serve. @throws what the signal says, engine-unavailable */
export async function passGate(
  parts: EngineParts,
  copy: Copy,
  plan: ProcessPlan,
  options: { mustComplete: boolean; signal: AbortSignal },
): Promise<GateOutcome> {
  const rules = gateRules(plan)
  using watch = watchGate(rules, options)
  const watchers = [watchExit(parts, copy, watch)]
  if (options.mustComplete) rules.mayComplete = true
  else if (rules.probe) watchers.push(watchProbe(copy, rules, rules.probe, watch))
  if (!options.mustComplete && rules.check) watchers.push(watchCheck(parts, copy, rules, watch))
  if (!options.mustComplete && !rules.probe && !rules.check) watchers.push(watchTime(watch))
  for (const watcher of watchers) watcher.catch((error: unknown) => watch.fail(error))
  try {
    return await watch.outcome
  } finally {
    watch.end()
    await Promise.allSettled(watchers)
  }
}

interface Watch extends Disposable {
  outcome: Promise<GateOutcome>
  signal: AbortSignal
  see(seen: Observation): void
  /** How long to wait before the next look. */
  delayMs(): number
  fail(error: unknown): void
  end(): void
}

function watchGate(rules: GateRules, { signal }: { signal: AbortSignal }): Watch {
  const ending = new AbortController()
  const { promise, resolve, reject } = Promise.withResolvers<GateOutcome>()
  // A failure may come before anybody waits for the outcome.
  promise.catch(() => ending.abort())
  let state = beginGate(performance.now())
  const follow = () => reject(signal.reason as Error)
  if (signal.aborted) follow()
  signal.addEventListener('abort', follow, { once: true })
  return {
    outcome: promise,
    signal: AbortSignal.any([signal, ending.signal]),
    see(seen) {
      const judged = judge(state, seen, performance.now(), rules)
      state = judged.state
      if (judged.verdict.is !== 'waiting') resolve({ verdict: judged.verdict, probe: state.lastProbe })
    },
    delayMs: () => probeDelayMs(state, performance.now(), rules),
    fail(error) {
      if (!ending.signal.aborted) reject(error)
    },
    end: () => ending.abort(),
    [Symbol.dispose]: () => signal.removeEventListener('abort', follow),
  }
}

async function watchExit(parts: EngineParts, copy: Copy, watch: Watch): Promise<void> {
  const code = await waitForExit(parts, copy.container, watch)
  const isOutOfMemory = code === 137 && (await endedOutOfMemory(parts.docker, copy.container, watch))
  watch.see({ kind: 'exit', code, isOutOfMemory })
}

async function watchProbe(
  { address }: Copy,
  { timeoutMs }: GateRules,
  target: NonNullable<GateRules['probe']>,
  watch: Watch,
): Promise<void> {
  while (!watch.signal.aborted) {
    watch.see({ kind: 'probe', ...(await probeCopy({ address, ...target, timeoutMs }, watch.signal)) })
    await pause(watch.delayMs(), undefined, { signal: watch.signal })
  }
}

async function watchCheck(parts: EngineParts, copy: Copy, rules: GateRules, watch: Watch): Promise<void> {
  while (!watch.signal.aborted && rules.check) {
    watch.see({ kind: 'check', ...(await checkOnce(parts, copy, rules, watch.signal)) })
    // A command costs more than a connect.
    await pause(Math.max(200, watch.delayMs()), undefined, { signal: watch.signal })
  }
}

async function checkOnce(parts: EngineParts, copy: Copy, rules: GateRules, signal: AbortSignal) {
  const wait = { deadlineMs: Math.max(rules.checkTimeoutMs, 1000), what: 'the health check', signal }
  try {
    const task = (inner: AbortSignal) =>
      runCheck(parts.docker, copy.container, rules.check ?? [], { signal: inner })
    const { code, text } = await withDeadline(wait, task)
    return {
      isGood: code === 0,
      text: `the health check exited with ${code}${text === '' ? '' : `: ${text}`}`,
    }
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof DeadlineError)
      return { isGood: false, text: `the health check took over ${wait.deadlineMs} ms` }
    // The copy has ended: the exit itself is being reported.
    if (error instanceof RackError && ['conflict', 'engine-failed'].includes(error.code)) {
      return { isGood: false, text: error.message }
    }
    throw error
  }
}

async function watchTime(watch: Watch): Promise<void> {
  await pause(settleMs + 10, undefined, { signal: watch.signal })
  watch.see({ kind: 'time' })
}
