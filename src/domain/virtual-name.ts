/** The address of a name, which no interface has, and where it leads. */
export interface VirtualName {
  address: string
  /** The first that fits the caller counts. */
  leads: Lead[]
  /** Whoever is led nowhere waits: the kernel asks again. */
  isHeld: boolean
}

/** Where callers get to; without copies they are refused. */
export interface Lead {
  /** Addresses and subnets of callers. */
  sources: string[]
  /** Addresses, met in turn. */
  copies: string[]
}
