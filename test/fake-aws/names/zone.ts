import type { FakeAccount } from '../fake-service.ts'
import { inBackground } from '../in-background.ts'
import { absolute, keyOf, type RecordSet, type RecordSets } from './change-batch.ts'

/** Until a change is known everywhere: 60 s at the most (D), and hardly ever under 5 (J). */
const inSyncMs = () => 5000 + Math.random() * 55_000

export interface ZoneChange {
  id: string
  submittedAt: Date
  inSyncAt: number
  isServed: boolean
}

/** A hosted zone: what its account has put into it, and what its resolver knows of that. */
export class Zone {
  readonly id: string
  /** With its dot. */
  readonly name: string
  /** Whether everybody asks it, and not the network alone. */
  readonly isPublic: boolean
  /** What the API tells: changes that are not everywhere yet are in it (D). */
  records: RecordSets
  /** What a question is answered from. */
  served: RecordSets
  isThere = true
  readonly #account: FakeAccount
  #last: Promise<void> = Promise.resolve()

  constructor(
    account: FakeAccount,
    { id, name, isPublic = false }: { id: string; name: string; isPublic?: boolean },
  ) {
    this.#account = account
    this.id = id
    this.isPublic = isPublic
    this.name = absolute(name)
    this.records = new Map(firstRecords(this.name, usualLife).map((record) => [keyOf(record), record]))
    this.served = this.records
  }

  /** As it is made. */
  clear(): void {
    this.records = new Map(firstRecords(this.name).map((record) => [keyOf(record), record]))
    this.served = this.records
  }

  /** Puts new records in the place of the old ones; the resolver sees all of them together, some time before INSYNC (J). */
  replace(records: RecordSets, id: string): ZoneChange {
    const { clock } = this.#account
    const delayMs = inSyncMs()
    const submittedAt = new Date(clock.now())
    const change: ZoneChange = { id, submittedAt, inSyncAt: clock.now() + delayMs, isServed: false }
    this.records = records
    this.#last = this.#serve(records, change, { before: this.#last, delayMs: Math.random() * delayMs })
    inBackground(this.#account, this.#last)
    return change
  }

  /** One change never overtakes another. */
  async #serve(
    records: RecordSets,
    change: ZoneChange,
    { before, delayMs }: { before: Promise<void>; delayMs: number },
  ): Promise<void> {
    await Promise.all([before, this.#account.clock.pass(delayMs)])
    this.served = records
    change.isServed = true
  }
}

/** Of AWS (D): how long the record itself is kept, and the number in it. */
const usualLife = { ttl: 900, absence: 86_400 }

/** A zone has these from the start (D); the installation lets an answer without records be kept for 5 s (§1.5). */
function firstRecords(name: string, { ttl, absence } = { ttl: 5, absence: 5 }): RecordSet[] {
  const servers = ['ns-0.awsdns-00.com.', 'ns-512.awsdns-00.net.']
  const authority = `${servers[0]} awsdns-hostmaster.amazon.com. 1 7200 900 1209600 ${absence}`
  return [
    { name, type: 'NS', ttl: 172_800, values: servers },
    { name, type: 'SOA', ttl, values: [authority] },
  ]
}
