import { createContext, Script, type Context } from 'node:vm'

/** Tries a regular expression on many lines at once. */
export interface BoundedMatcher {
  /** For each line whether it matches. @throws MatchTimeoutError when that takes too long */
  matches(lines: string[]): boolean[]
}

/** A pattern that takes more than its time: one that tries every way to match, such as `(a+)+$`. */
export class MatchTimeoutError extends Error {
  constructor(deadlineMs: number, cause: unknown) {
    super(`the pattern took more than ${deadlineMs} ms`, { cause })
    this.name = 'MatchTimeoutError'
  }
}

export interface MatchBounds {
  /** For one call, of the processor's time. */
  deadlineMs: number
  /** What lies behind so many characters of a line is not looked at. */
  longestText: number
}

/** Of a deadline that was used up on a free processor; the rest is what ending it takes. */
const mostOfDeadline = 0.8

let room: Context | null = null
const script = new Script('lines.map((line) => pattern.test(line))')

/** Runs where the virtual machine ends it at its deadline: a regular expression cannot be interrupted otherwise. */
export function createBoundedMatcher(pattern: RegExp, bounds: MatchBounds): BoundedMatcher {
  const { deadlineMs, longestText } = bounds
  return {
    matches(lines) {
      room ??= createContext({})
      room.lines = lines.map((line) => (line.length > longestText ? line.slice(0, longestText) : line))
      room.pattern = pattern
      try {
        return runWithin(room, deadlineMs)
      } finally {
        room.lines = null
      }
    },
  }
}

/** The machine's clock goes on while a busy processor does something else, which is not the pattern's fault. */
function runWithin(context: Context, deadlineMs: number): boolean[] {
  for (let timeout = deadlineMs; ; timeout *= 2) {
    const before = process.threadCpuUsage()
    try {
      return script.runInContext(context, { timeout }) as boolean[]
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error
      const { user, system } = process.threadCpuUsage(before)
      if (user + system >= deadlineMs * 1000 * mostOfDeadline) throw new MatchTimeoutError(deadlineMs, error)
    }
  }
}
