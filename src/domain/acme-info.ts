import type { OrderFailure } from './certificate-order.ts'

/** The authority that is asked for certificates, and what is being had of it. */
export interface AcmeInfo {
  /** The URL of its directory; null where none is asked. */
  directory: string | null
  email: string | null
  /** Whether somebody has told who signs for the directory itself. */
  hasCa: boolean
  /** Of its service; null where it has none, or nobody has just been told. */
  terms: string | null
  orders: OrderInfo[]
}

/** A certificate that is being had, or could not be had. */
export interface OrderInfo {
  name: string
  status: 'open' | 'failed'
  /** In a row. */
  failures: number
  /** When it is tried again. */
  next: string
  failed: OrderFailure | null
}

/** What is to change of the authority; what is absent stays. */
export interface AcmeChange {
  /** `letsencrypt`, `letsencrypt-staging` or a URL; null asks none any more. */
  directory?: string | null
  email?: string | null
  /** PEM. */
  ca?: string | null
}
