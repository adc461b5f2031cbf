import type { Control } from '../domain/control.ts'
import type { ProcessPlan } from '../domain/plan.ts'
import { pause } from '../lib/poll.ts'
import {
  beginGate,
  gateRules,
  judge,
  probeDelayMs,
  type GateRules,
  type Observation,
  type Verdict,
} from './gate.ts'
import type { ObservedCopy, ProbeTarget, Runtime } from './runtime.ts'

export interface GateOutcome {
  verdict: Exclude<Verdict, { is: 'waiting' }>
  /** What the last probe or check saw. */
  probe: string | null
}

export interface GateCandidate {
  copy: ObservedCopy
  plan: ProcessPlan
  /** Another type waits for its end. */
  mustComplete: boolean
  /** Requests wait for it: no other copy of its type serves. */
  isAwaited?: boolean
}

/** Watches a started copy until it is known whether it may serve. @throws what the signal says, engine-unavailable */
export async function passGate(
  runtime: Runtime,
  candidate: GateCandidate,
  control: Control,
): Promise<GateOutcome> {
  const { copy, plan, mustComplete, isAwaited = false } = candidate
  const rules = gateRules(plan, runtime.settleMs, isAwaited)
  const { probe, check } = rules
  if (mustComplete) rules.mayComplete = true
  using watch = watchGate(rules, control)
  const watchers = [watchExit(runtime, copy, watch)]
  if (!mustComplete && probe) watchers.push(watchProbe(runtime, copy, probe, watch))
  if (!mustComplete && check) watchers.push(watchCheck(runtime, copy, { rules, check }, watch))
  if (!mustComplete && !probe && !check) watchers.push(watchTime(rules, watch))
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
  control: Control
  see(seen: Observation): void
  /** How long to wait before the next look. */
  delayMs(): number
  fail(error: unknown): void
  end(): void
}

function watchGate(rules: GateRules, { signal, report }: Control): Watch {
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
    control: { signal: AbortSignal.any([signal, ending.signal]), report },
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

async function watchExit(runtime: Runtime, copy: ObservedCopy, watch: Watch): Promise<void> {
  watch.see({ kind: 'exit', ...(await runtime.ended(copy, watch.control)) })
}

async function watchProbe(
  runtime: Runtime,
  copy: ObservedCopy,
  target: ProbeTarget,
  watch: Watch,
): Promise<void> {
  while (!watch.control.signal.aborted) {
    watch.see({ kind: 'probe', ...(await runtime.probe(copy, target, watch.control)) })
    await pause(watch.delayMs(), watch.control.signal)
  }
}

async function watchCheck(
  runtime: Runtime,
  copy: ObservedCopy,
  { rules, check }: { rules: GateRules; check: string[] },
  watch: Watch,
): Promise<void> {
  const timeoutMs = Math.max(rules.checkTimeoutMs, 1000)
  while (!watch.control.signal.aborted) {
    watch.see({ kind: 'check', ...(await runtime.check(copy, check, timeoutMs, watch.control)) })
    // A command costs more than a connect.
    await pause(Math.max(200, watch.delayMs()), watch.control.signal)
  }
}

async function watchTime({ settleMs }: GateRules, watch: Watch): Promise<void> {
  await pause(settleMs + 10, watch.control.signal)
  watch.see({ kind: 'time' })
}
