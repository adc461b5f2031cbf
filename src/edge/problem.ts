import { errorCodes, RackError, type ErrorCode } from '../domain/error.ts'
import { DeadlineError } from '../lib/deadline.ts'

/** An error on the wire (RFC 9457). */
export interface Problem {
  type: string
  title: string
  status: number
  detail: string
  code: ErrorCode
  hint?: string | undefined
  details?: unknown
  requestId: string
}

/** The only place where a code becomes a status. */
export function toProblem(error: unknown, requestId: string): Problem {
  const known = toRackError(error)
  const { status, meaning } = errorCodes[known.code]
  return {
    type: `urn:rack:error:${known.code}`,
    title: meaning,
    status,
    detail: known.message,
    code: known.code,
    hint: known.code === 'internal' ? `The daemon's log has the cause under ${requestId}.` : known.hint,
    details: known.details,
    requestId,
  }
}

/** Anything that is not ours is a bug, and keeps its words to itself. */
function toRackError(error: unknown): RackError {
  if (error instanceof RackError) return error
  if (error instanceof DeadlineError) return new RackError('timeout', error.message, { cause: error })
  const refusal = frameworkRefusal(error)
  if (refusal) return new RackError(refusal.code, refusal.message, { hint: refusal.hint, cause: error })
  return new RackError('internal', 'something unexpected happened in the rack', { cause: error })
}

interface Refusal {
  code: ErrorCode
  message: string
  hint?: string
}

/** What the framework refuses before a handler sees the request, by its code. */
function frameworkRefusal(error: unknown): Refusal | null {
  if (!(error instanceof Error) || !('statusCode' in error) || !('code' in error)) return null
  const status = Number(error.statusCode)
  if (status === 413) return { code: 'too-large', message: 'the body of the request is too large' }
  if (status === 415) {
    return {
      code: 'usage',
      message: 'the body of the request has the wrong content type',
      hint: 'Send application/json; for a build, application/x-tar.',
    }
  }
  return status >= 400 && status < 500 ? { code: 'usage', message: error.message } : null
}
