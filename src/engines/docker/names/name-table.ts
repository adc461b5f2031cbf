import type { Rules } from '../../../domain/rules.ts'
import type { UdpPort } from '../../../domain/udp-port.ts'
import type { AddressPool } from '../addresses.ts'

type Signalled = { signal: AbortSignal }

/**
 * The machine's way of leading a connection to one of several addresses: rules of its own in the kernel, which hold
 * while no daemon runs. `main` hands over the one of this machine.
 */
export interface NameTable {
  /** Every name has its address there, and nothing else does. */
  range: AddressPool
  /** Makes the rules as they should be, at once and whole; open connections stay. @throws host-failed */
  apply(rules: Rules, control: Signalled): Promise<void>
  /** Lets what the rules lead to these ports come through to the copies, and nothing where there are none. Safe to repeat. @throws host-failed */
  open(ports: UdpPort[], control: Signalled): Promise<void>
  /** Whether rules can come between copies that are on one bridge. */
  keepsApart(control: Signalled): Promise<boolean>
  /** Whether they are as `apply` made them last; false before. @throws host-failed */
  isWhole(control: Signalled): Promise<boolean>
}
