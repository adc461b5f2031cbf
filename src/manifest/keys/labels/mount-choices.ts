import { normalisedPath } from '../../paths.ts'
import type { FamilyLabel, Labels } from './labels.ts'

const prefix = 'mount.'

/** The labels `rack.mount.<path>`, by the path in the container. */
export function mountChoicesOf({ family }: Labels): Map<string, FamilyLabel> {
  const choices = [...family].filter(([name]) => name.startsWith(prefix))
  return new Map(
    choices.map(([name, label]) => {
      const path = name.slice(prefix.length)
      return [normalisedPath(path) ?? path, label]
    }),
  )
}
