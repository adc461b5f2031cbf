import { RackError } from '../domain/error.ts'
import { enclosingCidr, formatCidr, lastOfCidr, type Cidr } from '../lib/cidr.ts'

/** A range that is cut into subnets of one size. */
export interface SubnetPool {
  /** CIDR. */
  cidr: string
  /** Prefix length of a subnet. */
  subnetBits: number
}

/** The range of a CIDR such as `10.213.0.0/16`; bits past the prefix are taken for zero. @throws invalid */
export function rangeOf(cidr: string): Cidr {
  const range = enclosingCidr(cidr)
  if (range) return range
  throw new RackError('invalid', `"${cidr}" is not a range of IPv4 addresses`, {
    hint: 'Write it like 10.213.0.0/16.',
  })
}

/** The subnets of a pool in order, as CIDR. @throws invalid when the pool cannot hold one, or a subnet no process */
export function* subnetsOf(pool: SubnetPool): Generator<string> {
  const range = rangeOf(pool.cidr)
  const size = 2 ** (32 - pool.subnetBits)
  const isWhole = Number.isInteger(pool.subnetBits) && pool.subnetBits <= 29 && pool.subnetBits >= 1
  if (!isWhole || pool.subnetBits < range.bits) {
    throw new RackError('invalid', `the pool ${pool.cidr} has no subnets of /${pool.subnetBits}`, {
      hint: 'Choose subnets smaller than the pool, /29 at the least.',
    })
  }
  for (let base = range.base; base <= lastOfCidr(range); base += size) {
    yield formatCidr({ base, bits: pool.subnetBits })
  }
}

/**
 * The addresses that processes may have, beginning after `previous` and wrapping: the network's own, the gateway
 * (the first) and the broadcast's are left out.
 */
export function* addressesAfter(cidr: string, previous: number): Generator<number> {
  const range = rangeOf(cidr)
  const last = lastOfCidr(range)
  const lowest = range.base + 2
  const count = last - lowest
  const start = previous >= lowest && previous < last - 1 ? previous + 1 - lowest : 0
  for (let step = 0; step < count; step++) yield lowest + ((start + step) % count)
}
