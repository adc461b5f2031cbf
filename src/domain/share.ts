import { RackError } from './error.ts'

/** Where other racks come in to what this one shares with them; they prove by a certificate who they are. */
export interface ShareEntrance {
  /** The address on which the rack listens, such as `0.0.0.0`. */
  bind: string
  port: number
  /** PEM: the entrance's own certificate, then its key. */
  certificate: string
  /** PEM: who has signed all that come in. */
  authority: string
  /** PEM: the list of the certificates that are taken back. */
  revoked: string
}

/** What one consumer, another rack, may come in to. */
export interface SharedPort {
  /** Of the share. */
  id: string
  /** Addresses and networks (`10.0.0.0/8`) that may come in; everybody where there are none. */
  allow: string[]
}

/** The other end of a share: a service of another rack, and how it is come in to. Holds a key. */
export interface SharedEnd {
  /** Of the share, as the other rack calls it. */
  id: string
  /** Of the other rack's entrance. */
  host: string
  port: number
  /** PEM: who has signed the entrance's certificate. */
  authority: string
  /** PEM: the certificate by which this rack comes in, then its key. */
  certificate: string
}

/** A service that is given to another rack, and to no other. */
export interface Share {
  id: string
  service: string
  /** Who has it, as people call it. */
  consumer: string
  /** Of the service: the login that it has. */
  version: string
  /** Of its certificate, hexadecimal. */
  serial: string
  allow: string[]
  /** `HOST:PORT` at which the other rack was told to come in. */
  address: string
  created: string
  /** Null is never. */
  expires: string | null
}

/** A share, and what has become of it. */
export interface KeptShare extends Share {
  /** `opening`: it is being made, and nobody has its line yet. `closing`: it is taken back, and the router may not know yet. */
  status: 'opening' | 'open' | 'closing' | 'revoked'
  /** Since when it is taken back, whatever the router knows. */
  revoked: string | null
}

/** For a consumer that has a share of the service. */
export function sharedAlready(service: string, consumer: string): RackError {
  return new RackError('exists', `${service} is shared with ${consumer} already`, {
    hint: [
      'Nobody can be given its line again. End it first:',
      `rack services unshare ${service} --consumer ${consumer}; or share it with another: --as NAME`,
    ].join(' '),
    details: { service, consumer },
  })
}

/** The name under which a share is asked for: a certificate of the entrance's holds all such names. */
export function shareHost(id: string): string {
  return `${id.toLowerCase()}.${shareDomain}`
}

/** Nobody else's: no name server knows it. */
export const shareDomain = 'shares.internal'

/** Asked for by who only looks whether it may come in: the connection is ended at once, and reaches no service. */
export const shareProbe = `probe.${shareDomain}`

/** The type of a service that another rack shares with this one. */
export const sharedType = 'shared'

/** By which other racks come in. PEM, each with its private key. */
export interface ShareKeys {
  authority: SignedKey
  /** Shown to who comes in. */
  entrance: SignedKey
  /** The list of what the authority has taken back, with the numbers that are in it. */
  list: { serials: string[]; text: string }
}

interface SignedKey {
  certificate: string
  key: string
}
