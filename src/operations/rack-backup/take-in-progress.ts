import { isOneOf, knownError, type ErrorCode } from '../../domain/error.ts'

/** How taking in a backup gets on, for those who wait for it. */
export interface TakeInProgress {
  /** Something is tried once more: what kept it from being taken in may have passed. */
  begin(): void
  noteDone(): void
  noteFailure(what: string, error: unknown): void
  /** Why it is given up; null while it gets on, or may yet. */
  failure(): string | null
  /** Nothing is left, and nothing comes: a backup is put back before there is a daemon. */
  noteOver(): void
  isOver(): boolean
}

/** What may be otherwise in a while. */
const passing: ErrorCode[] = [
  'engine-unavailable',
  'engine-failed',
  'image-unavailable',
  'service-failed',
  'unreachable',
  'timeout',
  'busy',
  'conflict',
  'capacity',
  'port-taken',
]
/** Of one thing: over a minute, by the waits of a recovery. */
const mostTries = 6

export function createTakeInProgress(): TakeInProgress {
  let tries = 0
  let failure: string | null = null
  let isOver = false
  return {
    begin: () => void (failure = null),
    noteDone: () => void (tries = 0),
    noteFailure(what, error) {
      tries++
      const mayPass = tries < mostTries && isOneOf(error, ...passing)
      failure = mayPass ? null : `${what}: ${knownError(error).message}`
    },
    failure: () => failure,
    noteOver: () => void (isOver = true),
    isOver: () => isOver,
  }
}
