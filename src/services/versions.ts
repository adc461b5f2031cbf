/** The numbers that a version begins with: `10.11-jammy` is 10 and 11. */
function numbersOf(version: string): number[] {
  const [numbers = ''] = /^\d+(\.\d+)*/.exec(version) ?? []
  return numbers === '' ? [] : numbers.split('.').map(Number)
}

/** The first of them; NaN for a word without one. */
export function majorOf(version: string): number {
  return numbersOf(version)[0] ?? Number.NaN
}

/** The first two, where each such series has files of its own: `10.11`. */
export function seriesOf(version: string): string {
  return numbersOf(version).slice(0, 2).join('.') || version
}

/**
 * Whether a dump of one version goes into another: by so many of their numbers, the same or a newer one. What one of
 * them does not say is taken for equal; words that are no numbers must be the same.
 */
export function isSameOrNewer(from: string, into: string, places = 1): boolean {
  const [older, newer] = [numbersOf(from), numbersOf(into)]
  if (older.length === 0 || newer.length === 0) return from === into
  for (let place = 0; place < Math.min(places, older.length, newer.length); place++) {
    if (newer[place] !== older[place]) return newer[place]! > older[place]!
  }
  return true
}
