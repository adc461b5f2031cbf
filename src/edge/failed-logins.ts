import { sourceOf } from './connection-limits.ts'

/** Slows those down who try tokens, by where they are; what is remembered is bounded. */
export interface FailedLogins {
  /** How long the address has to wait before its next try, ms; 0 where it need not. Without an address it is the socket. */
  waitMs(address: string | undefined, nowMs: number): number
  failed(address: string | undefined, nowMs: number): void
}

/** So many wrong tokens cost nothing; each one more doubles the wait. */
const freeTries = 5
const firstWaitMs = 1000
const longestWaitMs = 15 * 60_000
/** After so long without a wrong one all is forgiven. */
const forgottenMs = 60 * 60_000
const mostSources = 10_000

interface Failures {
  count: number
  untilMs: number
  lastMs: number
}

export function createFailedLogins(most = mostSources): FailedLogins {
  /** The one that failed longest ago is first. */
  const sources = new Map<string, Failures>()
  return {
    waitMs(address, nowMs) {
      const { untilMs } = sources.get(keyOf(address)) ?? { untilMs: nowMs }
      return Math.max(0, untilMs - nowMs)
    },
    failed(address, nowMs) {
      const key = keyOf(address)
      const before = sources.get(key)
      const isFresh = before !== undefined && nowMs - before.lastMs < forgottenMs
      const count = isFresh ? before.count + 1 : 1
      const beyond = count - freeTries
      const waitMs = beyond < 0 ? 0 : Math.min(longestWaitMs, firstWaitMs * 2 ** beyond)
      sources.delete(key)
      sources.set(key, { count, untilMs: nowMs + waitMs, lastMs: nowMs })
      for (const [oldest] of sources) {
        if (sources.size <= most) break
        sources.delete(oldest)
      }
    },
  }
}

/** Whether who calls is on this machine, where a token that is good is let in however often others have tried. */
export function isLocal(address: string | undefined): boolean {
  return address === undefined || sourceOf(address) === 'loopback'
}

function keyOf(address: string | undefined): string {
  return address === undefined ? 'socket' : sourceOf(address)
}
