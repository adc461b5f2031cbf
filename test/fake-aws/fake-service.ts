import type { FakeClock } from './clock.ts'

/** One call as it came in. */
export interface Call {
  /** As in the scope of the signature: `ecs`, `elasticloadbalancing`. */
  service: string
  action: string
  /** Who signed it. */
  accessKeyId: string
  requestId: string
}

/** What an action of a service does: its input is checked against the SDK's own schema before, its output is after. */
// oxlint-disable-next-line no-explicit-any -- the shapes are the SDK's, and each action names its own
export type Action = (input: any, call: Call) => Promise<object>

/** One service of the account. What is not in `actions` is refused. */
export interface FakeService {
  /** In the scope of a signature. */
  scope: string
  /** The SDK's client module: its exported schemas (`CreateServiceRequest$`) say what a call may hold. */
  sdk: Record<string, unknown>
  actions: Record<string, Action>
  /** Ends what it runs. */
  close?(): Promise<void>
}

/** An answer that is an error, by the name that AWS gives it. */
export class AwsError extends Error {
  readonly status: number
  readonly details: Record<string, unknown>
  constructor(name: string, message: string, status = 400, details: Record<string, unknown> = {}) {
    super(message)
    this.name = name
    this.status = status
    this.details = details
  }
}

/** What every service is made with. */
export interface FakeAccount {
  clock: FakeClock
  region: string
  account: string
  /** Unlike any other on this machine: first part of the names of containers and networks, and their label `fake-aws`. */
  run: string
  /** Where files of the account lie: file systems, buckets. */
  directory: string
  /** With which words the next tasks do not start, one each. */
  startFailures: string[]
  /** Hears of what goes wrong in the background. */
  onTrouble(error: unknown): void
}
