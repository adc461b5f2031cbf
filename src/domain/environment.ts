import { RackError } from './error.ts'

/** Key/value pairs of an app. Values are secrets: never in a log, an error or a URL. */
export type Environment = Record<string, string>

/** Where a variable of a process came from, lowest precedence first. */
export const environmentLayers = ['image', 'compose', 'process link', 'service link', 'app', 'rack'] as const
export type EnvironmentLayer = (typeof environmentLayers)[number]

export interface ResolvedVariable {
  name: string
  value: string
  from: EnvironmentLayer
  /** Lower layers that also gave a value. */
  shadows: EnvironmentLayer[]
}

/** Images read names such as `discovery.type` too, though no shell can hold them. */
const namePattern = /^[A-Za-z_][A-Za-z0-9_.-]*$/

/** @throws invalid for a name that cannot be, or a value with a NUL byte */
export function checkVariable(name: string, value: string): void {
  if (!namePattern.test(name)) {
    throw new RackError('invalid', `"${name}" cannot be a variable's name`, {
      hint: 'Use letters, digits, _, dots and dashes, a letter or _ first: rack env set NAME=value',
    })
  }
  if (value.includes('\0')) throw new RackError('invalid', `the value of ${name} holds a NUL byte`)
}

/** Lays the layers over each other; a later layer wins. Sorted by name. */
export function resolveEnvironment(
  layers: Partial<Record<EnvironmentLayer, Environment>>,
): ResolvedVariable[] {
  const resolved = new Map<string, ResolvedVariable>()
  for (const layer of environmentLayers) {
    for (const [name, value] of Object.entries(layers[layer] ?? {})) {
      const lower = resolved.get(name)
      resolved.set(name, { name, value, from: layer, shadows: lower ? [...lower.shadows, lower.from] : [] })
    }
  }
  return [...resolved.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** What stands for a value. */
export const mask = '****'

/** A shorter value is no secret, and is part of too many words. */
const shortestSecret = 6

/** A text without the values of an environment; the longest go first, since one may hold another. */
export function maskText(text: string, environment: Environment): string {
  const secrets = Object.values(environment).filter(({ length }) => length >= shortestSecret)
  secrets.sort((a, b) => b.length - a.length)
  return secrets.reduce((masked, secret) => masked.replaceAll(secret, mask), text)
}
