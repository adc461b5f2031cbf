import type { Environment } from '../../../domain/environment.ts'
import { RackError } from '../../../domain/error.ts'

/** A secret holds 64 KiB; this leaves room for how JSON writes it (aws.md 1.6). */
const mostCharacters = 60_000

/** Splits variables into texts of secrets, in their order. @throws invalid for a value that no secret holds */
export function secretTexts(environment: Environment): { names: string[]; text: string }[] {
  const parts: Environment[] = [{}]
  let size = 0
  for (const [name, value] of Object.entries(environment)) {
    const own = JSON.stringify(name).length + JSON.stringify(value).length + 2
    if (own > mostCharacters) {
      throw new RackError('invalid', `the value of ${name} has more than ${mostCharacters} characters`, {
        hint: 'Put it into a config, into the image or on a volume.',
      })
    }
    if (size + own > mostCharacters) {
      parts.push({})
      size = 0
    }
    parts.at(-1)![name] = value
    size += own
  }
  return parts
    .filter((part) => Object.keys(part).length > 0)
    .map((part) => ({ names: Object.keys(part), text: JSON.stringify(part) }))
}

/** The name of a part of what one secret does not hold. */
export function secretPartName(name: string, part: number): string {
  return part === 0 ? name : `${name}-${part}`
}
