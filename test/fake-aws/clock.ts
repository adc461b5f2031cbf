import { pause } from '../../src/lib/poll.ts'

/** The one clock of a fake account: everything that takes AWS its time takes `factor` times less here. */
export interface FakeClock {
  factor: number
  /** Milliseconds since 1970, as the account sees them. */
  now(): number
  /** Settles when so much time of the account has passed; rejects when the account is closed. */
  pass(ms: number): Promise<void>
}

export interface ClosableClock extends FakeClock {
  /** Ends every wait: they reject with an `AccountClosed`. */
  close(): void
}

export class AccountClosed extends Error {
  override name = 'AccountClosed'
}

/** Starts at this machine's own time and runs `factor` times as fast. */
export function createFakeClock({ factor = 20 }: { factor?: number } = {}): ClosableClock {
  const startedAt = Date.now()
  const closing = new AbortController()
  return {
    factor,
    now: () => startedAt + (Date.now() - startedAt) * factor,
    pass: (ms) => pause(ms / factor, closing.signal),
    close: () => closing.abort(new AccountClosed('the account is closed')),
  }
}
