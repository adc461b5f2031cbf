import type { AwsError, Call } from './fake-service.ts'

/** What goes wrong with a call, so many times (always, when `times` is absent). */
export interface Fault {
  /** The answer, in place of doing it. */
  error?: AwsError
  /** Of the account's time, before it is done. */
  delayMs?: number
  /** It is done, and the connection is cut in place of an answer. */
  appliedButUnanswered?: boolean
  times?: number
}

export interface Faults {
  /** `action` as `ecs:CreateService`; replaces what was set for it before. */
  set(action: string, fault: Fault): void
  clear(): void
  /** Takes the fault that a call is to have. */
  take(action: string): Fault | undefined
}

export function createFaults(): Faults {
  const faults = new Map<string, Fault>()
  return {
    set: (action, fault) => void faults.set(action, { ...fault }),
    clear: () => faults.clear(),
    take(action) {
      const fault = faults.get(action)
      if (!fault || fault.times === undefined) return fault
      if (fault.times <= 1) faults.delete(action)
      else faults.set(action, { ...fault, times: fault.times - 1 })
      return fault
    },
  }
}

export interface CallRecord extends Call {
  /** Counts from 1 since the last `reset`. */
  number: number
  /** `ok`, or the name of the error that was answered, or `cut`. */
  outcome: string
}

/** Hears of every call; what throws `Cut` ends the connection without an answer. */
export interface CallHooks {
  beforeCall?(record: CallRecord): void | Promise<void>
  afterCall?(record: CallRecord): void | Promise<void>
}

/** Thrown by a hook: nobody gets an answer to this call. */
export class Cut extends Error {
  override name = 'Cut'
}

export interface Death {
  /** Its how-manieth call from now on; its first of an action, as `ecs:CreateService`; or of those that change something. */
  at: number | string | { change: number }
  when: 'before' | 'after'
}

interface Dying extends Death {
  seen: number
  /** The call that it dies at, once that is under way. */
  record: CallRecord | null
  die: (record: CallRecord) => void
}

const isLook = /^(Describe|List|Get|Filter|Head)/

function isMeant(at: Death['at'], { service, action }: CallRecord): boolean {
  if (typeof at === 'string') return `${service}:${action}` === at
  return typeof at === 'number' || !isLook.test(action)
}

function end(deadKeys: Set<string>, { when, die }: Dying, record: CallRecord): never {
  const { accessKeyId, service, action } = record
  deadKeys.add(accessKeyId)
  die(record)
  throw new Cut(`its caller died ${when} ${service}:${action}`)
}

function countOf(at: Death['at']): number {
  if (typeof at === 'string') return 1
  return typeof at === 'number' ? at : at.change
}

/** What was called since the start, or since the last `reset`. */
export class Calls {
  records: CallRecord[] = []
  /** Those that this fake does not know, or whose input AWS would refuse: a test expects none. */
  refused: (CallRecord & { problem: string })[] = []
  hooks: CallHooks = {}
  /** Keys whose callers are dead: their calls are cut off undone. */
  readonly deadKeys = new Set<string>()
  readonly #dying = new Map<string, Dying>()

  /**
   * A caller that dies at a call: before AWS does what it asked, or after it was done and before it hears of it. From then
   * on none of its calls is done or answered. Settles when it has died.
   */
  kill(accessKeyId: string, death: Death): Promise<CallRecord> {
    const { promise, resolve } = Promise.withResolvers<CallRecord>()
    this.#dying.set(accessKeyId, { ...death, seen: 0, record: null, die: resolve })
    return promise
  }

  /** @throws Cut where its caller dies of it */
  async before(record: CallRecord): Promise<void> {
    const dying = this.#dying.get(record.accessKeyId)
    if (dying && isMeant(dying.at, record) && ++dying.seen === countOf(dying.at)) {
      dying.record = record
      if (dying.when === 'before') end(this.deadKeys, dying, record)
    }
    await this.hooks.beforeCall?.(record)
  }

  /** @throws Cut where its caller dies of it */
  async after(record: CallRecord): Promise<void> {
    const dying = this.#dying.get(record.accessKeyId)
    if (dying?.record === record) end(this.deadKeys, dying, record)
    await this.hooks.afterCall?.(record)
  }

  add(call: Call): CallRecord {
    const record = { ...call, number: this.records.length + 1, outcome: 'under way' }
    this.records.push(record)
    return record
  }

  refuse(record: CallRecord, problem: string): void {
    this.refused.push({ ...record, problem })
  }

  /** `ecs:CreateService` → how often. */
  counts(): Record<string, number> {
    const counts: Record<string, number> = {}
    for (const { service, action } of this.records)
      counts[`${service}:${action}`] = (counts[`${service}:${action}`] ?? 0) + 1
    return counts
  }

  reset(): void {
    this.records = []
    this.refused = []
  }
}
