import { RackError } from '../../src/domain/error.ts'
import type { AddressStore } from '../../src/domain/store.ts'

/** Addresses as the store gives them, for an engine without a store: subnets of 256 addresses. */
export function createMemoryAddresses(): AddressStore {
  const subnets = new Map<string, string>()
  const holders = new Map<string, Map<string, string>>()
  const last = new Map<string, number>()
  const prefixOf = (app: string) => subnets.get(app)?.replace(/\.\d+\/\d+$/, '')
  return {
    async subnet(app, pool, isUsable) {
      const known = subnets.get(app)
      if (known) return known
      const [a, b] = pool.cidr.split('.')
      const all = Array.from({ length: 256 }, (_, index) => `${a}.${b}.${index}.0/24`)
      const taken = new Set(subnets.values())
      const free = all.find((cidr) => !taken.has(cidr) && isUsable(cidr))
      if (!free) throw new RackError('capacity', 'no subnet is left')
      subnets.set(app, free)
      return free
    },
    async take(app, holder) {
      const own = holders.get(app) ?? new Map<string, string>()
      holders.set(app, own)
      const known = own.get(holder)
      if (known) return known
      const taken = new Set(own.values())
      for (let step = 1; step <= 253; step++) {
        const number = 2 + (((last.get(app) ?? 1) - 2 + step) % 253)
        const address = `${prefixOf(app)}.${number}`
        if (taken.has(address)) continue
        last.set(app, number)
        own.set(holder, address)
        return address
      }
      throw new RackError('capacity', 'no address is left')
    },
    async free(app, holder) {
      holders.get(app)?.delete(holder)
    },
    async holders(app) {
      return Array.from(holders.get(app) ?? [], ([holder, address]) => ({ holder, address }))
    },
    async freeSubnet(app) {
      subnets.delete(app)
      holders.delete(app)
    },
  }
}
