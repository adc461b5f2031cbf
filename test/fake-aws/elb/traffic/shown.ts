import { createSecureContext, type SecureContext, type TlsOptions } from 'node:tls'
import { covers } from '../../../../src/domain/certificate.ts'
import type { ElbState, Listener } from '../state.ts'

/** How a listener ends TLS: by the certificate for the name that is asked for, else by its default one (D). */
export function shown(state: ElbState, listener: Pick<Listener, 'certificates'>): TlsOptions {
  /** By what they show: an imported certificate may be another one under the same ARN. */
  const contexts = new Map<string, SecureContext>()
  const pairOf = (arn: string) => state.certificates.find(arn)
  const contextOf = (arn: string) => {
    const { chain, key } = pairOf(arn)!
    const context = contexts.get(chain) ?? createSecureContext({ cert: chain, key })
    contexts.set(chain, context)
    return context
  }
  const first = pairOf(listener.certificates[0]!)!
  return {
    cert: first.chain,
    key: first.key,
    SNICallback(name, done) {
      const arn = listener.certificates.find((each) => covers(pairOf(each)?.names ?? [], name))
      done(null, contextOf(arn ?? listener.certificates[0]!))
    },
  }
}
