import { RackError } from '../domain/error.ts'
import type { AddressPool } from '../domain/store.ts'

/** A range of IPv4 addresses as numbers, both ends included. */
export interface AddressRange {
  first: number
  last: number
}

/** The range of a CIDR such as `10.213.0.0/16`; bits past the prefix are taken for zero. @throws invalid */
export function rangeOf(cidr: string): AddressRange {
  const [address = '', prefix = '', ...rest] = cidr.split('/')
  const number = addressNumber(address)
  const bits = /^\d{1,2}$/.test(prefix) ? Number(prefix) : 33
  if (number === null || bits > 32 || rest.length > 0) {
    throw new RackError('invalid', `"${cidr}" is not a range of IPv4 addresses`, {
      hint: 'Write it like 10.213.0.0/16.',
    })
  }
  const size = 2 ** (32 - bits)
  const first = number - (number % size)
  return { first, last: first + size - 1 }
}

/** The subnets of a pool in order, as CIDR. @throws invalid when the pool cannot hold one, or a subnet no process */
export function* subnetsOf(pool: AddressPool): Generator<string> {
  const range = rangeOf(pool.cidr)
  const size = 2 ** (32 - pool.subnetBits)
  const isWhole = Number.isInteger(pool.subnetBits) && pool.subnetBits <= 29 && pool.subnetBits >= 1
  if (!isWhole || size > range.last - range.first + 1) {
    throw new RackError('invalid', `the pool ${pool.cidr} has no subnets of /${pool.subnetBits}`, {
      hint: 'Choose subnets smaller than the pool, /29 at the least.',
    })
  }
  for (let first = range.first; first <= range.last; first += size) {
    yield `${addressText(first)}/${pool.subnetBits}`
  }
}

export function overlaps(a: AddressRange, b: AddressRange): boolean {
  return a.first <= b.last && b.first <= a.last
}

/**
 * The addresses that processes may have, beginning after `previous` and wrapping: the network's own, the gateway
 * (the first) and the broadcast's are left out.
 */
export function* addressesAfter(cidr: string, previous: number): Generator<number> {
  const { first, last } = rangeOf(cidr)
  const lowest = first + 2
  const count = last - lowest
  const start = previous >= lowest && previous < last - 1 ? previous + 1 - lowest : 0
  for (let step = 0; step < count; step++) yield lowest + ((start + step) % count)
}

export function addressText(number: number): string {
  return [24, 16, 8, 0].map((shift) => (number >>> shift) & 255).join('.')
}

function addressNumber(text: string): number | null {
  const parts = text.split('.')
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255))
    return null
  return parts.reduce((sum, part) => sum * 256 + Number(part), 0)
}
