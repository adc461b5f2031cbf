/** Every way Rack says no: the HTTP status and the CLI exit code of each. `docs/errors.md` lists the same rows. */
export const errorCodes = {
  usage: { status: 400, exit: 2, meaning: 'The command or request was not understood.' },
  invalid: { status: 422, exit: 1, meaning: 'A value is out of range or malformed.' },
  'manifest-invalid': { status: 422, exit: 1, meaning: 'The compose file has problems; all are listed.' },
  'manifest-missing': { status: 422, exit: 1, meaning: 'The directory has no compose file.' },
  'environment-missing': { status: 422, exit: 1, meaning: 'Required environment variables have no value.' },
  unauthorized: { status: 401, exit: 1, meaning: 'The token is missing or not known to this rack.' },
  'too-many-logins': {
    status: 429,
    exit: 1,
    meaning: 'Many wrong tokens came from the same address; it has to wait for as long as is told.',
  },
  forbidden: {
    status: 403,
    exit: 1,
    meaning: 'The token may not do that: it lacks the permission, or the app.',
  },
  'not-found': {
    status: 404,
    exit: 1,
    meaning: 'No such app, release, build, process, volume or operation.',
  },
  gone: { status: 410, exit: 1, meaning: 'What was asked for was there and is no longer kept.' },
  exists: { status: 409, exit: 1, meaning: 'The name is taken.' },
  locked: { status: 409, exit: 1, meaning: 'The app is locked against deletion.' },
  busy: { status: 409, exit: 1, meaning: 'Another change of the same app is running.' },
  conflict: { status: 409, exit: 1, meaning: 'The request contradicts the present state.' },
  'port-taken': { status: 409, exit: 1, meaning: 'A port is held by another app or program.' },
  capacity: { status: 409, exit: 1, meaning: 'The rack has no room for what was asked.' },
  'build-failed': { status: 422, exit: 1, meaning: 'A build step failed; its log is kept.' },
  'image-unavailable': { status: 422, exit: 1, meaning: 'An image could not be pulled and is not here.' },
  'deploy-failed': {
    status: 422,
    exit: 1,
    meaning: 'A promote failed; the message says whether what ran before still does.',
  },
  cancelled: {
    status: 409,
    exit: 130,
    meaning: 'It was ended by whoever wanted that; the message says what has become of it.',
  },
  timeout: { status: 504, exit: 1, meaning: 'A deadline passed.' },
  'too-large': { status: 413, exit: 1, meaning: 'The upload exceeds a limit.' },
  unsupported: { status: 422, exit: 1, meaning: 'Something that a rack cannot honour was asked for.' },
  'disk-full': { status: 507, exit: 1, meaning: 'The disk of the rack or of its engine is full.' },
  'engine-unavailable': { status: 503, exit: 1, meaning: 'The engine does not answer.' },
  'engine-failed': { status: 502, exit: 1, meaning: 'The engine refused or failed a request.' },
  'service-failed': {
    status: 502,
    exit: 1,
    meaning: 'A command inside a service failed; the message has what it said.',
  },
  'certificate-failed': {
    status: 502,
    exit: 1,
    meaning: 'An authority gave no certificate, or no account; what is shown stays.',
  },
  'store-failed': { status: 503, exit: 1, meaning: 'The store does not answer or is damaged.' },
  unreachable: { status: 503, exit: 1, meaning: 'The rack does not answer.' },
  untrusted: {
    status: 502,
    exit: 1,
    meaning: 'What would answer may not be the rack; nothing was sent to it.',
  },
  'host-failed': {
    status: 500,
    exit: 1,
    meaning: 'Something on this machine could not be installed or started.',
  },
  internal: {
    status: 500,
    exit: 70,
    meaning: 'A bug in Rack; the daemon log has the cause under the request id.',
  },
} as const satisfies Record<string, { status: number; exit: number; meaning: string }>

export type ErrorCode = keyof typeof errorCodes

export interface ErrorContext {
  /** What to type next. */
  hint?: string
  /** Facts for programs; JSON only, never a secret. */
  details?: unknown
  /** Of the request that failed, when a rack answered it. */
  requestId?: string
  cause?: unknown
}

/** The one error class; anything else that is thrown is a bug. */
export class RackError extends Error {
  readonly code: ErrorCode
  readonly hint: string | undefined
  readonly details: unknown
  readonly requestId: string | undefined

  constructor(code: ErrorCode, message: string, context: ErrorContext = {}) {
    super(message, context.cause === undefined ? undefined : { cause: context.cause })
    this.name = 'RackError'
    this.code = code
    this.hint = context.hint
    this.details = context.details
    this.requestId = context.requestId
  }
}

/** An error as it is kept and told: what is not ours is a bug, and its message is what leads to it. */
export function knownError(error: unknown): RackError {
  if (error instanceof RackError) return error
  const reason = error instanceof Error ? error.message : String(error)
  return new RackError('internal', `an unexpected failure: ${reason}`, { cause: error })
}

/** Whether it is one of ours with one of these codes. */
export function isOneOf(error: unknown, ...codes: ErrorCode[]): error is RackError {
  return error instanceof RackError && codes.includes(error.code)
}

/** The code of an error for a log; what is not ours is a bug. */
export function codeOf(error: unknown): ErrorCode {
  return error instanceof RackError ? error.code : 'internal'
}
