import type { FakeClock } from './clock.ts'

/** Listings of AWS show late what was made (D: "eventual consistency"): up to `longestMs` of the account's time, another lag for each name, the same each run. */
export function createLag(
  clock: FakeClock,
  longestMs = 2000,
): {
  /** Notes that it was made now. */
  made(name: string): void
  /** Whether a listing shows it yet; what was never noted is shown. */
  shows(name: string): boolean
} {
  const since = new Map<string, number>()
  const lagOf = (name: string) => {
    let hash = 7
    for (const character of name) hash = (hash * 31 + character.codePointAt(0)!) % 1_000_003
    return hash % (longestMs + 1)
  }
  return {
    made: (name) => void since.set(name, clock.now()),
    shows: (name) => clock.now() >= (since.get(name) ?? 0) + (since.has(name) ? lagOf(name) : 0),
  }
}
