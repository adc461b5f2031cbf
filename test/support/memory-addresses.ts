import { RackError } from '../../src/domain/error.ts'
import type { Addresses } from '../../src/engines/docker/addresses.ts'
import { cidrsOverlap, formatIpv4 } from '../../src/lib/cidr.ts'
import { addressesAfter, rangeOf, subnetsOf } from '../../src/store/subnets.ts'

interface MemoryNetwork {
  cidr: string
  /** As a number. */
  lastGiven: number
  holders: Map<string, string>
}

/** Addresses for an engine without a store. */
export function createMemoryAddresses(): Addresses {
  const networks = new Map<string, MemoryNetwork>()
  return {
    async subnet(network, pool, isUsable) {
      const known = networks.get(network)
      if (known) return known.cidr
      const taken = Array.from(networks.values(), ({ cidr }) => rangeOf(cidr))
      const isFree = (cidr: string) => !taken.some((other) => cidrsOverlap(other, rangeOf(cidr)))
      const cidr = [...subnetsOf(pool)].find((each) => isFree(each) && isUsable(each))
      if (cidr === undefined) throw new RackError('capacity', `no subnet of ${pool.cidr} is left`)
      networks.set(network, { cidr, lastGiven: 0, holders: new Map() })
      return cidr
    },
    async take(network, holder) {
      const own = networks.get(network)
      if (!own) throw new RackError('not-found', `"${network}" has no subnet`)
      const known = own.holders.get(holder)
      if (known !== undefined) return known
      const taken = new Set(own.holders.values())
      const number = addressesAfter(own.cidr, own.lastGiven).find((each) => !taken.has(formatIpv4(each)))
      if (number === undefined) throw new RackError('capacity', `no address of ${own.cidr} is left`)
      own.lastGiven = number
      own.holders.set(holder, formatIpv4(number))
      return formatIpv4(number)
    },
    async free(network, holder) {
      networks.get(network)?.holders.delete(holder)
    },
    async holders(network) {
      const given = Array.from(networks.get(network)?.holders ?? [], ([holder, address]) => ({
        holder,
        address,
      }))
      return given.sort((a, b) => (a.holder < b.holder ? -1 : 1))
    },
    async freeSubnet(network) {
      networks.delete(network)
    },
  }
}
