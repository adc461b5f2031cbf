import type { Environment } from './environment.ts'
import type { ProcessType } from './manifest.ts'

type Declaring = Pick<ProcessType, 'environment' | 'isDeclaredOnly'>

/** What of the app's environment a type gets: all of it, or what its file names. */
export function declaredFor(type: Declaring, environment: Environment): Environment {
  if (!type.isDeclaredOnly) return environment
  const declared = namesOf(type)
  return Object.fromEntries(Object.entries(environment).filter(([name]) => declared.has(name)))
}

/** What of its links a type gets: all seven variables of those of which its file names one. */
export function linkedFor(type: Declaring, variables: Environment): Environment {
  if (!type.isDeclaredOnly) return variables
  const declared = namesOf(type)
  const prefixes = Object.keys(variables)
    .filter((name) => declared.has(name))
    .map(prefixOf)
  const wanted = new Set(prefixes)
  return Object.fromEntries(Object.entries(variables).filter(([name]) => wanted.has(prefixOf(name))))
}

function namesOf({ environment }: Declaring): Set<string> {
  return new Set(environment.map(({ name }) => name))
}

/** `DB` of `DB_URL`. */
function prefixOf(name: string): string {
  return name.slice(0, name.lastIndexOf('_'))
}
