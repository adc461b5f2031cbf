import { RackError } from '../domain/error.ts'
import type { Context } from './context.ts'

/** @throws unsupported where the rack shows no certificates that it is handed or has of an authority */
export function refuseCertificates({ host: { withoutCertificates } }: Context): void {
  if (withoutCertificates === null) return
  throw new RackError('unsupported', withoutCertificates.why, { hint: withoutCertificates.instead })
}
