/** Whether a text is an address of either family, or a range of them: `10.0.0.0/8`, `::1`. */
export function isIpRange(text: string): boolean {
  const [address = '', bits, ...more] = text.split('/')
  const mostBits = isIpv4(address) ? 32 : isIpv6(address) ? 128 : -1
  if (mostBits < 0 || more.length > 0) return false
  return bits === undefined || (/^(0|[1-9]\d{0,2})$/.test(bits) && Number(bits) <= mostBits)
}

function isIpv4(text: string): boolean {
  const bytes = text.split('.')
  return bytes.length === 4 && bytes.every((byte) => /^(0|[1-9]\d{0,2})$/.test(byte) && Number(byte) < 256)
}

/** Eight groups, of which `::` stands for one or more, and of which an IPv4 address may be the last two. */
function isIpv6(text: string): boolean {
  const halves = text.split('::')
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')))
  const last = groups.at(-1) ?? ''
  const endsInIpv4 = !text.endsWith('::') && isIpv4(last)
  const plain = endsInIpv4 ? groups.slice(0, -1) : groups
  const size = plain.length + (endsInIpv4 ? 2 : 0)
  const isShort = halves.length === 2 && size <= 7
  return (
    (isShort || (halves.length === 1 && size === 8)) && plain.every((group) => /^[0-9a-f]{1,4}$/i.test(group))
  )
}
