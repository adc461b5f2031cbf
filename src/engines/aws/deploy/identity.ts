import { createHash } from 'node:crypto'
import type { ProcessPlan } from '../../../domain/plan.ts'
import { waysText } from '../../../domain/ways.ts'

/** A tag has no room for the whole text, which holds secrets; ways in are fixed when a service is made. */
export function identityOf(text: string, plan: ProcessPlan): string {
  const ways = waysText(plan)
  return createHash('sha256')
    .update(ways === '' ? text : `${text} ${ways}`)
    .digest('hex')
}
