/** What an authority has said no with, or why it was not reached. */
export class AcmeProblem extends Error {
  /** As RFC 8555, 6.7, has it, such as `rateLimited`; null where nothing of that kind came. */
  readonly type: string | null
  /** Of the answer; null where none came, and for what is said of a challenge. */
  readonly status: number | null
  /** Until when it wants to be left alone. */
  readonly notBefore: Date | null
  readonly isUnreached: boolean

  constructor(
    detail: string,
    more: {
      type?: string | null
      status?: number
      notBefore?: Date | null
      isUnreached?: boolean
      cause?: unknown
    } = {},
  ) {
    super(oneLine(detail), { cause: more.cause })
    this.type = more.type ?? null
    this.status = more.status ?? null
    this.notBefore = more.notBefore ?? null
    this.isUnreached = more.isUnreached ?? false
  }

  /** Whether the same, a little later, may well be taken: what was begun is gone on with. */
  get isPassing(): boolean {
    if (this.status === null) return this.isUnreached
    return this.status === 429 || this.status >= 500 || this.type === 'rateLimited'
  }

  /**
   * Whether it wants to be left alone by all orders. A limit says nowhere whose it is: those of a name are for hours and
   * days, that of an account is soon over.
   */
  isOfAll(now: Date): boolean {
    if (!this.isPassing || this.notBefore === null) return false
    return (this.status ?? 0) >= 500 || this.notBefore.getTime() - now.getTime() <= mostWaitOfAllMs
  }
}

/** A problem as an authority writes it, in an answer or in what it has found out of a challenge. */
export interface ProblemDocument {
  type?: string
  detail?: string
}

const typePrefix = 'urn:ietf:params:acme:error:'
const mostDetail = 500
/** The longest that the rules of a known authority make anybody wait: no more is taken at its word. */
export const mostWaitMs = 7 * 86_400_000

/** The longest limit that is taken for one of the account. */
const mostWaitOfAllMs = 10 * 60_000

export function problemOf(
  document: ProblemDocument | null | undefined,
  more: { status?: number; notBefore?: Date | null } = {},
): AcmeProblem {
  const { type, detail } = document ?? {}
  const known = typeof type === 'string' && type.startsWith(typePrefix) ? type.slice(typePrefix.length) : null
  const said = typeof detail === 'string' && detail !== '' ? detail : `it answered ${more.status ?? 'no'}`
  return new AcmeProblem(said, { ...more, type: known })
}

/** Seconds, or a date; null for what is neither, or over. */
export function readRetryAfter(header: string | undefined, now: Date): Date | null {
  if (header === undefined) return null
  const time = /^\d{1,8}$/.test(header) ? now.getTime() + Number(header) * 1000 : Date.parse(header)
  if (Number.isNaN(time) || time <= now.getTime()) return null
  return new Date(Math.min(time, now.getTime() + mostWaitMs))
}

function oneLine(text: string): string {
  return text
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim()
    .slice(0, mostDetail)
}
