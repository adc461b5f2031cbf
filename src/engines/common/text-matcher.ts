import { RackError } from '../../domain/error.ts'
import { parseLogPattern } from '../../domain/log-pattern.ts'
import { createBoundedMatcher, MatchTimeoutError } from '../../lib/bounded-match.ts'

/** Of the pieces that are tried at once, 32 KiB each: a thousand times what an honest pattern takes. */
const patternBounds = { deadlineMs: 100, longestText: 8192 }

/** Says of texts which hold what a reader of logs looks for. @throws invalid for a pattern that is none, or takes too long */
export function textMatcher(grep: string): (texts: string[]) => boolean[] {
  const pattern = parseLogPattern(grep)
  if ('text' in pattern) return (texts) => texts.map((text) => text.includes(pattern.text))
  const matcher = createBoundedMatcher(pattern.expression, patternBounds)
  return (texts) => {
    try {
      return matcher.matches(texts)
    } catch (error) {
      if (!(error instanceof MatchTimeoutError)) throw error
      throw new RackError('invalid', `the pattern ${grep} takes too long`, {
        hint: 'Repetitions inside of repetitions, such as (a+)+, try every way to match: write it without them.',
        cause: error,
      })
    }
  }
}
