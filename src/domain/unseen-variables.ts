import type { Environment } from './environment.ts'
import type { ProcessType } from './manifest.ts'
import { rackVariableNames } from './process-environment.ts'

/** A variable of an app that the rack sets itself. */
export interface UnseenVariable {
  name: string
  /** Those that have the rack's value instead. */
  processes: string[]
}

/** `PORT` is the rack's only where a process has a port, which may be the one that the value names. */
export function unseenVariables(
  processes: Pick<ProcessType, 'name' | 'ports'>[],
  environment: Environment,
): UnseenVariable[] {
  return rackVariableNames.flatMap((name) => {
    const value = Object.hasOwn(environment, name) ? environment[name] : undefined
    if (value === undefined) return []
    const hiding = processes.filter(({ ports: [first] }) => {
      return name !== 'PORT' || (first !== undefined && value !== String(first.container))
    })
    return hiding.length === 0 ? [] : [{ name, processes: hiding.map((type) => type.name) }]
  })
}

/** The same as sentences. */
export function unseenText(unseen: UnseenVariable[]): string[] {
  return unseen.map(
    ({ name, processes }) =>
      `${name} is set by the rack for ${processes.join(', ')}; the value of the app is never seen there`,
  )
}
