import { RackError } from './error.ts'

export type AppStatus = 'creating' | 'running' | 'updating' | 'rollback' | 'failed' | 'deleting'

/** A collection of processes that share one environment, made from one source directory. */
export interface App {
  name: string
  status: AppStatus
  /** The live release, or null before the first promote. */
  release: string | null
  locked: boolean
  created: string
}

export const appNamePattern = /^[a-z][a-z0-9-]{2,29}$/

/** @throws invalid when the name breaks the rule or is the rack's own */
export function checkAppName(name: string, rackName: string): void {
  if (!appNamePattern.test(name)) {
    throw new RackError('invalid', `"${name}" cannot be an app's name`, {
      hint: 'Use 3 to 30 lower-case letters, digits and dashes, a letter first; name it with --app NAME.',
    })
  }
  if (name === rackName) {
    throw new RackError('invalid', `"${name}" is the rack's own name`, {
      hint: 'Choose another with --app NAME.',
    })
  }
}
