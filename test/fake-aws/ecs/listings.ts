import type { FakeClock } from '../clock.ts'
import { AwsError } from '../fake-service.ts'

/** How late a listing may be (J: aws.md 5.1, on purpose); a description never is. */
const longestLagMs = 2000

/** A value as listings see it: up to two seconds after it has changed. */
export interface Lagged<T> {
  set(value: T): void
  seen(): T | null
}

export function createLagged<T>(clock: FakeClock): Lagged<T> {
  let changes: { fromMs: number; value: T }[] = []
  return {
    set(value) {
      const fromMs = Math.max(clock.now() + Math.random() * longestLagMs, changes.at(-1)?.fromMs ?? 0)
      changes.push({ fromMs, value })
    },
    seen() {
      const now = clock.now()
      const current = changes.findLastIndex(({ fromMs }) => fromMs <= now)
      if (current > 0) changes = changes.slice(current)
      return current === -1 ? null : changes[0]!.value
    },
  }
}

export interface PageRequest {
  nextToken?: string
  maxResults?: number
}

/** One page of names, in their order; `most` is what AWS gives at most (D), `usual` what it gives unasked. */
export function pageOf(
  names: string[],
  { nextToken, maxResults }: PageRequest,
  { most, usual, cut }: { most: number; usual: number; cut: number },
): { names: string[]; nextToken?: string } {
  if (maxResults !== undefined && (maxResults < 1 || maxResults > most)) {
    throw new AwsError('InvalidParameterException', `Page size must be between 1 and ${most}.`)
  }
  const after = nextToken === undefined ? '' : readToken(nextToken)
  const rest = names.filter((name) => name > after).sort((a, b) => (a < b ? -1 : 1))
  // Fewer than asked for, so that nobody gets by without asking on (J).
  const page = rest.slice(0, Math.min(maxResults ?? usual, cut))
  if (page.length === rest.length) return { names: page }
  return { names: page, nextToken: Buffer.from(`page ${page.at(-1)}`).toString('base64url') }
}

function readToken(token: string): string {
  const text = Buffer.from(token, 'base64url').toString()
  if (!text.startsWith('page ')) throw new AwsError('InvalidParameterException', 'Invalid token')
  return text.slice('page '.length)
}
