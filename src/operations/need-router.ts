import { RackError } from '../domain/error.ts'
import type { Context } from './context.ts'

/** @throws unsupported where the rack has no router of its own, which would be told of domains and certificates */
export function needRouter({ host: { withoutRouter } }: Context): void {
  if (withoutRouter === null) return
  throw new RackError('unsupported', withoutRouter.why, { hint: withoutRouter.instead })
}
