import type { AddressPool } from './addresses.ts'

type Signalled = { signal: AbortSignal }

/**
 * The machine's way of taking addresses that no interface has as its own, so that the router can listen there. `main`
 * hands over the one of this machine.
 */
export interface WayRange {
  pool: AddressPool
  /** Looks at the machine; tells which ranges nobody has. */
  lookForFree(): Promise<(cidr: string) => boolean>
  /** Has the kernel take what is for a range as this machine's own. Safe to repeat. @throws host-failed; unsupported without root */
  open(cidr: string, control: Signalled): Promise<void>
}
