import type { Share } from '../../../domain/share.ts'

/** As it is asked for. */
export interface NewShare {
  /** How people call the other rack; a name that is free when absent. */
  consumer?: string | undefined
  /** Addresses and networks from which it may come in; everywhere when absent. */
  allow?: string[] | undefined
  /** `HOST[:PORT]` at which it finds this rack. */
  address?: string | undefined
  /** A duration, such as `30d`; for good when absent. */
  expires?: string | undefined
}

/** A share, with the line by which its consumer has it: given once, and kept by nobody. */
export interface MadeShare {
  share: Share
  line: string
  /** Why it may not be what was meant. */
  warning: string | null
}

/** A share as it is told. */
export interface ShareInfo extends Omit<Share, 'version' | 'serial'> {
  /** `closing`: it is taken back, and the router does not know yet. */
  status: 'opening' | 'open' | 'closing' | 'expired'
}
