/**
 * Ranges of addresses for what this machine's networks are told apart by, and every address in them. It knows nothing
 * of apps: a network is named by a key of the engine's own, so that an app may have several, and a range whose
 * addresses no interface has (virtual ones) is a network like any other, whose pool is that range. A method that
 * settles has made its change durable: what was given stays given, whoever asks again.
 * `test/contract/addresses.ts` runs on every implementation.
 */
export interface Addresses {
  /**
   * The network's subnet; taken from the pool on first use, and no part of any other network's, whatever pool that is
   * from. `isUsable` refuses one that clashes with the machine.
   * @throws capacity when the pool is empty; invalid for a pool that can hold no subnet
   */
  subnet(network: string, pool: AddressPool, isUsable: (cidr: string) => boolean): Promise<string>
  /**
   * An address of the network's subnet for a holder (a process id); the same again for the same holder. The first
   * address is the gateway's and never given; one that was freed comes last.
   * @throws not-found before `subnet`; capacity when all are taken
   */
  take(network: string, holder: string): Promise<string>
  /** Safe to repeat. */
  free(network: string, holder: string): Promise<void>
  /** By holder. */
  holders(network: string): Promise<{ holder: string; address: string }[]>
  /** Gives the network's subnet back, and every address in it. Safe to repeat. */
  freeSubnet(network: string): Promise<void>
}

export interface AddressPool {
  /** CIDR, e.g. `10.213.0.0/16`. */
  cidr: string
  /** Prefix length of one network's subnet, e.g. 24; that of the pool itself where one network has it all. */
  subnetBits: number
}
