/** What a canonical file is made of; undefined and empty values are left out of it. */
export type Value = string | number | boolean | null | undefined | Value[] | { [name: string]: Value }

/** The value without what says nothing; undefined when nothing is left. Null says something: a name without a value. */
export function lean(value: Record<string, Value>): Record<string, Value> | undefined {
  const entries = Object.entries(value).filter(([, inner]) => !isNothing(inner))
  return entries.length === 0 ? undefined : Object.fromEntries(entries)
}

function isNothing(value: Value): boolean {
  if (value === undefined) return true
  if (Array.isArray(value)) return value.length === 0
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0
}

/** Null where the file says nothing: not printed. */
export function given<T extends Value>(value: T | null): T | undefined {
  return value ?? undefined
}

/** A duration as Compose writes it. */
export function durationText(ms: number): string {
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`
}

/** A size in the largest unit that loses nothing. */
export function sizeText(bytes: number): string {
  if (bytes > 0 && bytes % 2 ** 30 === 0) return `${bytes / 2 ** 30}g`
  return bytes > 0 && bytes % 2 ** 20 === 0 ? `${bytes / 2 ** 20}m` : `${bytes}b`
}

/** Permission bits as they are read in every version of YAML. */
export function modeText(mode: number): string {
  return `0${mode.toString(8)}`
}
