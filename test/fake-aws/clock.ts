/** The one clock of a fake account: everything that takes AWS its time takes `factor` times less here. */
export interface FakeClock {
  factor: number
  /** Milliseconds since 1970, as the account sees them. */
  now(): number
  /** Settles when so much time of the account has passed; rejects when the account is closed. */
  pass(ms: number): Promise<void>
}
