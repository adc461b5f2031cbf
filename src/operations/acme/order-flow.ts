import type { AcmeAccount, KeptOrder } from '../../domain/certificate-order.ts'
import type { Control } from '../../domain/control.ts'
import type { Client } from '../../lib/acme/call-acme.ts'
import type { Context } from '../context.ts'
import { unwanted } from './order-keeper.ts'

/** What the steps of one order work with. */
export interface Flow {
  context: Context
  /** The host for which it is. */
  name: string
  account: AcmeAccount
  client: Client
  control: Control
  /** For how long the last answer asked to wait; 0 where it did not. */
  retryAfterMs: () => number
}

/** What is written down of the order. @throws cancelled once it is kept no more */
export function writtenDown({ context, name }: Pick<Flow, 'context' | 'name'>): KeptOrder {
  const order = context.orders.order(name)
  if (order === null) throw unwanted(name)
  return order
}

/** Loaded when something is ordered: a rack of one machine's own names never does. */
export const acmeCalls = async () => await import('../../lib/acme/call-acme.ts')
