import { RackError, type ErrorCode } from '../../domain/error.ts'
import { DeadlineError } from '../../lib/deadline.ts'

const hintUnavailable = 'Is Docker Engine running? Look with: rack doctor'

const connectionCodes = new Set(['ECONNREFUSED', 'ENOENT', 'ECONNRESET', 'EPIPE', 'EACCES', 'ECONNABORTED'])

const codeOfStatus: Record<number, ErrorCode> = { 404: 'not-found', 409: 'conflict', 304: 'conflict' }

/** Translates an answer of Docker Engine that says no, by its status. */
export function errorOfAnswer(what: string, status: number, body: string): RackError {
  const message = messageOf(body)
  // The engine has no code for a full disk: the kernel's own words are all there is.
  const isDiskFull = status === 500 && /no space left on device/i.test(message)
  const code = isDiskFull ? 'disk-full' : (codeOfStatus[status] ?? 'engine-failed')
  return new RackError(code, `Docker Engine: ${message || `status ${status}`}`, {
    hint: isDiskFull
      ? 'Make some room on its disk, then give the cache of builds back: rack prune --build-cache'
      : undefined,
    details: { request: what, status },
  })
}

/** Translates a connection that broke, or was ended by the caller's signal or its deadline. */
export function errorOfConnection(error: unknown, signal: AbortSignal, what: string): RackError {
  const cause = signal.aborted ? (signal.reason as unknown) : error
  if (cause instanceof DeadlineError) {
    return new RackError('engine-unavailable', `Docker Engine does not answer: ${cause.message}`, {
      hint: hintUnavailable,
      cause,
    })
  }
  if (signal.aborted) return new RackError('cancelled', 'the operation was cancelled', { cause })
  const { code = '' } = error as NodeJS.ErrnoException
  if (connectionCodes.has(code)) {
    return new RackError('engine-unavailable', 'Docker Engine does not answer', {
      hint: hintUnavailable,
      cause,
    })
  }
  return new RackError('engine-failed', `Docker Engine: ${what} failed`, { cause })
}

/** True when the engine says that the thing is not there, which is what a removal wants. */
export function isNotFound(error: unknown): boolean {
  return error instanceof RackError && error.code === 'not-found'
}

function messageOf(body: string): string {
  try {
    const parsed = JSON.parse(body) as { message?: unknown }
    return typeof parsed.message === 'string' ? parsed.message : body.trim()
  } catch (error) {
    if (error instanceof SyntaxError) return body.trim()
    throw error
  }
}
