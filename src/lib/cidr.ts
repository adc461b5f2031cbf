/** A range of IPv4 addresses; `base` is its first, as a number. */
export interface Cidr {
  base: number
  bits: number
}

/** Reads `10.213.0.0/16`; null for what is no range, or has bits set behind its length. */
export function parseCidr(text: string): Cidr | null {
  const range = enclosingCidr(text)
  return range && addressOf(text) === range.base ? range : null
}

/** Reads `10.213.5.9/16` too, as the range that it lies in; null for what is no range. */
export function enclosingCidr(text: string): Cidr | null {
  const [, prefix = '', ...rest] = text.trim().split('/')
  const address = addressOf(text)
  const bits = /^\d{1,2}$/.test(prefix) ? Number(prefix) : 33
  if (address === null || bits > 32 || rest.length > 0) return null
  return { base: address - (address % 2 ** (32 - bits)), bits }
}

/** Whether two ranges have an address in common. */
export function cidrsOverlap(a: Cidr, b: Cidr): boolean {
  return a.base <= lastOfCidr(b) && b.base <= lastOfCidr(a)
}

/** The last address of a range, as a number. */
export function lastOfCidr({ base, bits }: Cidr): number {
  return base + 2 ** (32 - bits) - 1
}

export function formatCidr({ base, bits }: Cidr): string {
  return `${formatIpv4(base)}/${bits}`
}

/** An address from its number: `10.213.0.1`. */
export function formatIpv4(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.')
}

function addressOf(text: string): number | null {
  const bytes = text.trim().split('/', 1)[0]!.split('.')
  const isByte = (byte: string) => /^(0|[1-9]\d{0,2})$/.test(byte) && Number(byte) <= 255
  if (bytes.length !== 4 || !bytes.every(isByte)) return null
  return bytes.reduce((sum, byte) => sum * 256 + Number(byte), 0)
}
