import { bindRoot, type Policy } from '../domain/policy.ts'
import type { OptionSpec } from './command-spec.ts'
import type { Session } from './session.ts'

/** What a policy lets processes have of the machine. */
export const allowOptions: OptionSpec[] = [
  {
    flags: '--allow-bind <path>',
    meaning: 'processes may mount what lies at or below it; repeat it for more',
    multiple: true,
  },
  { flags: '--allow-privileged', meaning: 'processes may be privileged: they have all of the machine then' },
]

/** The policy that the options say; undefined when they say nothing. @throws invalid */
export function readPolicy({ options }: Session): Policy | undefined {
  const binds = options.list('allow-bind').map(bindRoot)
  const privileged = options.flag('allow-privileged')
  return binds.length > 0 || privileged ? { binds, privileged } : undefined
}

/** `binds /srv/shared; privileged` or `nothing of the machine`. */
export function describePolicy({ binds, privileged }: Policy): string {
  const parts = [
    ...(binds.length > 0 ? [`binds ${binds.join(', ')}`] : []),
    ...(privileged ? ['privileged'] : []),
  ]
  return parts.join('; ') || 'nothing of the machine'
}
