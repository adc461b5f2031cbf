import type { Separation } from './separation.ts'
import type { UdpPort } from './udp-port.ts'
import type { VirtualName } from './virtual-name.ts'

/** All that the kernel is to hold to between the processes of a rack. */
export interface Rules {
  names: VirtualName[]
  /** Ports of the machine itself. */
  udpPorts: UdpPort[]
  separations: Separation[]
  /** Addresses that answer, and open no connection to others: those of services on networks of apps. */
  answering: string[]
}
