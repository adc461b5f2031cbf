import type { ProcessPlan } from '../domain/plan.ts'
import { healthHost, type PortManners } from '../domain/port.ts'
import { startPatienceMs } from '../domain/start-patience.ts'
import type { ProbeTarget } from './runtime.ts'

/** How long a copy that answers may answer badly when its type names no grace. */
export const answerGraceMs = 5000

/** What a type asks of a new copy, in one shape. */
export interface GateRules {
  /** What is probed from outside; null when nothing listens. */
  probe: ProbeTarget | null
  /** The command that is run inside; null when there is none. */
  check: string[] | null
  checkTimeoutMs: number
  /** A copy without a port and without a check is healthy when it has run so long. */
  settleMs: number
  /** Between two probes, once the first quick ones have passed. */
  intervalMs: number
  healthyThreshold: number
  unhealthyThreshold: number
  /** Until then bad answers do not count. */
  answerGraceMs: number
  /** Until then refused connections and failing checks do not count. */
  startGraceMs: number
  /** True when an exit with 0 is the end that the type is for. */
  mayComplete: boolean
}

/** What was seen of a copy, one thing at a time. */
export type Observation =
  | { kind: 'started' }
  /** `answered` tells a copy that says no from one that says nothing. */
  | { kind: 'probe'; isGood: boolean; answered: boolean; text: string }
  | { kind: 'check'; isGood: boolean; text: string; isHopeless?: true }
  | { kind: 'exit'; code: number; isOutOfMemory: boolean }
  | { kind: 'time' }

export interface GateState {
  startedMs: number
  /** In a row. */
  goodProbes: number
  /** In a row, and counted after the grace only. */
  badProbes: number
  badChecks: number
  isCheckGood: boolean
  /** No check to come can be good. */
  isHopeless: boolean
  lastProbe: string | null
}

export type Verdict =
  | { is: 'waiting' }
  | { is: 'healthy' }
  | { is: 'completed' }
  | { is: 'failed'; reason: 'exited' | 'out-of-memory' | 'not-healthy'; exitCode: number | null }

/**
 * Reads the rules out of a type's plan.
 * @param isAwaited whether requests wait for the copy, since no other one serves
 */
export function gateRules(plan: ProcessPlan, settleMs: number, isAwaited = false): GateRules {
  const { health, healthcheck } = plan
  // Nobody can tell by a connection whether a port for udp is heard.
  const declared = plan.ports.find(({ protocol }) => protocol !== 'udp')?.container
  const port = health.port ?? declared ?? (health.path === null ? null : plan.internalPorts[0])
  const test = healthcheck?.test ?? ['NONE']
  const check =
    test[0] === 'CMD'
      ? test.slice(1)
      : test[0] === 'CMD-SHELL'
        ? ['/bin/sh', '-c', test.slice(1).join(' ')]
        : null
  const slowest = healthcheck ? healthcheck.startPeriodMs + healthcheck.retries * healthcheck.intervalMs : 0
  return {
    probe: port == null ? null : probeTarget(plan, port),
    check,
    checkTimeoutMs: healthcheck?.timeoutMs ?? 0,
    settleMs,
    intervalMs: Math.min(health.intervalMs, 500),
    healthyThreshold: health.healthyThreshold,
    unhealthyThreshold: health.unhealthyThreshold,
    answerGraceMs: health.graceMs > 0 ? health.graceMs : answerGraceMs,
    // A check that Docker would still wait for may not fail sooner here.
    startGraceMs: Math.max(startPatienceMs(plan, isAwaited), slowest),
    mayComplete: plan.restart !== 'always',
  }
}

function probeTarget(plan: ProcessPlan, port: number): ProbeTarget {
  const { health, hosts } = plan
  const { path, timeoutMs } = health
  return { port, path, host: healthHost(health, hosts), timeoutMs, ...mannersOf(plan, port) }
}

/** How the router will speak to the port, and so how a probe does. */
function mannersOf({ ports }: ProcessPlan, port: number): PortManners {
  const opened = ports.find(({ external, container }) => external !== null && container === port)
  const { proxy = false, secure = false, upstream } = opened ?? {}
  return { proxy, secure, ...(upstream && { upstream }) }
}

/** The state before anything was seen. */
export function beginGate(startedMs: number): GateState {
  return {
    startedMs,
    goodProbes: 0,
    badProbes: 0,
    badChecks: 0,
    isCheckGood: false,
    isHopeless: false,
    lastProbe: null,
  }
}

/** Adds one observation to what is known and judges the copy. */
export function judge(
  state: GateState,
  seen: Observation,
  atMs: number,
  rules: GateRules,
): { state: GateState; verdict: Verdict } {
  if (seen.kind === 'exit') return { state, verdict: judgeExit(seen, rules) }
  const next = observe(state, seen, atMs, rules)
  return { state: next, verdict: judgeState(next, atMs, rules) }
}

function judgeExit(
  { code, isOutOfMemory }: { code: number; isOutOfMemory: boolean },
  rules: GateRules,
): Verdict {
  if (code === 0 && rules.mayComplete) return { is: 'completed' }
  return { is: 'failed', reason: isOutOfMemory && code === 137 ? 'out-of-memory' : 'exited', exitCode: code }
}

function observe(state: GateState, seen: Observation, atMs: number, rules: GateRules): GateState {
  const age = atMs - state.startedMs
  if (seen.kind === 'probe') {
    const counts = age >= (seen.answered ? rules.answerGraceMs : rules.startGraceMs)
    return {
      ...state,
      goodProbes: seen.isGood ? state.goodProbes + 1 : 0,
      badProbes: seen.isGood ? 0 : state.badProbes + (counts ? 1 : 0),
      lastProbe: seen.text,
    }
  }
  if (seen.kind === 'check') {
    const counts = age >= rules.startGraceMs
    return {
      ...state,
      isCheckGood: seen.isGood,
      isHopeless: seen.isHopeless ?? false,
      badChecks: seen.isGood ? 0 : state.badChecks + (counts ? 1 : 0),
      lastProbe: seen.isGood ? state.lastProbe : seen.text,
    }
  }
  return state
}

function judgeState(state: GateState, atMs: number, rules: GateRules): Verdict {
  const { unhealthyThreshold } = rules
  if (state.isHopeless || state.badProbes >= unhealthyThreshold || state.badChecks >= unhealthyThreshold) {
    return { is: 'failed', reason: 'not-healthy', exitCode: null }
  }
  if (rules.probe === null && rules.check === null) {
    return { is: atMs - state.startedMs >= rules.settleMs ? 'healthy' : 'waiting' }
  }
  const probed = rules.probe === null || state.goodProbes >= rules.healthyThreshold
  const checked = rules.check === null || state.isCheckGood
  return { is: probed && checked ? 'healthy' : 'waiting' }
}

/** Quick at first, since most copies are up within a second; then the type's own interval. */
export function probeDelayMs(state: GateState, atMs: number, rules: GateRules): number {
  const age = atMs - state.startedMs
  return Math.min(age < 2000 ? 25 : 200, rules.intervalMs)
}
