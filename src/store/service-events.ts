import type { Transaction } from 'kysely'
import type { RackEvent } from '../domain/event.ts'
import type { ServiceStatus } from '../domain/service.ts'
import type { StoreContext } from './context.ts'
import { addEvent } from './events.ts'
import type { Schema } from './schema.ts'

interface ServiceEvent {
  name: string
  change: RackEvent['change']
  /** What it is now; absent where that is as it was. */
  status?: ServiceStatus
  /** What else there is to say. */
  facts?: RackEvent['facts']
}

/** Tells of a change of a service with it, in its transaction. It is of no app. */
export async function addServiceEvent(
  context: StoreContext,
  transaction: Transaction<Schema>,
  { name, change, status, facts: more }: ServiceEvent,
): Promise<void> {
  const facts: RackEvent['facts'] = { ...(status && { status }), ...more }
  await addEvent(context, transaction, { noun: 'service', change, app: '', id: name, facts })
}
