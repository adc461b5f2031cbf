import type { OrderFailure } from '../../domain/certificate-order.ts'
import { knownError, RackError } from '../../domain/error.ts'
import { AcmeProblem } from '../../lib/acme/acme-problem.ts'

type Told = Pick<OrderFailure, 'reason' | 'hint'>

/** Why a certificate is not to be had, in words of the rack, and what whoever reads it may do. */
export function failureOf(error: unknown, name: string, now: Date): OrderFailure {
  const notBefore = error instanceof AcmeProblem ? (error.notBefore?.toISOString() ?? null) : null
  return { time: now.toISOString(), ...tellFailure(error, name), notBefore }
}

export function tellFailure(error: unknown, name: string): Told {
  if (error instanceof AcmeProblem) return tellProblem(error, name)
  const { message, hint } = error instanceof RackError ? error : knownError(error)
  return { reason: message, hint: hint ?? again(name) }
}

const again = (name: string) => `rack certs renew '${name}'`

function tellProblem(problem: AcmeProblem, name: string): Told {
  const found = problem.type === null ? undefined : told[problem.type]
  if (found) {
    const { reason, hint } = found(name)
    return { reason: `${reason}: ${problem.message}`, hint }
  }
  const { code } = (problem.cause ?? {}) as NodeJS.ErrnoException
  if (code !== undefined && ofCertificates.has(code))
    return {
      reason: `the authority is not believed: ${problem.message}`,
      hint: 'Is the clock of the rack right (date)? Who signs for a private authority is told by: rack certs acme --directory URL --ca FILE.pem',
    }
  if (problem.isPassing)
    return {
      reason: `the authority does not answer: ${problem.message}`,
      hint: `The rack tries again by itself; at once: ${again(name)}`,
    }
  return { reason: `the authority refuses: ${problem.message}`, hint: `Then: ${again(name)}` }
}

/** As TLS of Node calls what is wrong with a certificate. */
const ofCertificates = new Set([
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'ERR_TLS_CERT_ALTNAME_INVALID',
])

/** By the type of RFC 8555, 6.7. */
const told: Record<string, (name: string) => Told> = {
  connection: (name) => ({
    reason: `the authority does not reach ${name}`,
    hint: `Port 80 of ${name} must lead to this rack: look at the firewall and at the DNS, then: ${again(name)}`,
  }),
  dns: (name) => ({
    reason: `the authority finds no address for ${name}`,
    hint: `Let the DNS lead ${name} to this rack, then: ${again(name)}`,
  }),
  unauthorized: (name) => ({
    reason: `what the authority finds at ${name} is not this rack`,
    hint: `Let the DNS lead ${name} to this rack and nowhere else, AAAA records too, then: ${again(name)}`,
  }),
  incorrectResponse: (name) => ({
    reason: `what the authority finds at ${name} is not this rack`,
    hint: `Let the DNS lead ${name} to this rack and nowhere else, then: ${again(name)}`,
  }),
  caa: (name) => ({
    reason: `the DNS forbids the authority to sign for ${name}`,
    hint: `Name the authority in the CAA record, then: ${again(name)}`,
  }),
  rateLimited: () => ({
    reason: 'the authority has given too many lately',
    hint: 'The rack waits for as long as the authority says, and tries again by itself.',
  }),
  rejectedIdentifier: (name) => ({
    reason: `the authority signs for no ${name}`,
    hint: 'Bring a certificate: rack certs add CERTIFICATE.pem KEY.pem',
  }),
  externalAccountRequired: () => ({
    reason: 'the authority takes accounts alone that were made there',
    hint: 'Choose another one: rack certs acme --directory letsencrypt',
  }),
  userActionRequired: () => ({
    reason: 'the authority wants something of whoever has the account',
    hint: 'Do what it says, then: rack certs renew NAME',
  }),
  invalidContact: emailRefused,
  unsupportedContact: emailRefused,
}

function emailRefused(): Told {
  return {
    reason: 'the authority does not take the email address',
    hint: 'rack certs acme --email ADDRESS',
  }
}
