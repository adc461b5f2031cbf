import { RackError } from '../../domain/error.ts'

/** What the engine cannot do, and why. */
export function notThere(what: string, why: string): RackError {
  return new RackError('unsupported', `a rack in an AWS account cannot ${what}: ${why}`)
}
