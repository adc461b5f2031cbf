/** A range of IPv4 addresses; `base` is its first, as a number. */
export interface Cidr {
  base: number
  bits: number
}

/** Reads `10.213.0.0/16`; null for what is no range, or has bits set behind its length. */
export function parseCidr(text: string): Cidr | null {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(text.trim())
  if (!match) return null
  const [a, b, c, d, bits] = match.slice(1).map(Number) as [number, number, number, number, number]
  if ([a, b, c, d].some((byte) => byte > 255) || bits > 32) return null
  const base = ((a * 256 + b) * 256 + c) * 256 + d
  return base % sizeOf(bits) === 0 ? { base, bits } : null
}

/** Whether two ranges have an address in common. */
export function cidrsOverlap(a: Cidr, b: Cidr): boolean {
  return a.base < b.base + sizeOf(b.bits) && b.base < a.base + sizeOf(a.bits)
}

export function formatCidr({ base, bits }: Cidr): string {
  const bytes = [24, 16, 8, 0].map((shift) => Math.floor(base / 2 ** shift) % 256)
  return `${bytes.join('.')}/${bits}`
}

function sizeOf(bits: number): number {
  return 2 ** (32 - bits)
}
