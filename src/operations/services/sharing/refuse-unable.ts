import { RackError } from '../../../domain/error.ts'
import type { Context } from '../../context.ts'

/** @throws unsupported */
export function refuseUnable({ engine }: Context): void {
  const can = engine.features.sharesServices
  if (can === true) return
  throw new RackError('unsupported', `this rack shares no services with others: ${can.why}`, {
    hint: 'Let the other rack know the service by its URL: rack services create url',
  })
}
