import { RackError } from '../../domain/error.ts'

/** What the engine cannot do, and why; with what to do instead, where there is something. */
export function notThere(what: string, why: string, hint?: string): RackError {
  const message = `a rack in an AWS account cannot ${what}: ${why}`
  return new RackError('unsupported', message, { ...(hint && { hint }) })
}
