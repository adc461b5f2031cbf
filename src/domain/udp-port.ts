/** A udp port of the machine, and the copies that it leads to; the kernel keeps a flow at its copy. */
export interface UdpPort {
  /** The address on which it is open, such as `0.0.0.0`. */
  bind: string
  listenPort: number
  /** On which the copies listen. */
  port: number
  /** Of the network where the copies are; null where none has ever been. */
  subnet: string | null
  /** Addresses of copies, met in turn; of none, nobody is led. */
  copies: string[]
  /** Addresses and networks that may come; everyone when absent. */
  allowedSources?: string[]
  /** Whoever is led nowhere waits. */
  isHeld: boolean
}
