import { RackError } from '../../../domain/error.ts'
import { readInstructions } from './dockerfile.ts'

/** A name that a Dockerfile may use, and the image behind it. */
export interface NamedStage {
  name: string
  image: string
}

/** Lines from `at` on, counted from 1, that were put into a Dockerfile. */
export interface AddedLines {
  at: number
  count: number
}

export const noLines: AddedLines = { at: 0, count: 0 }

/**
 * Makes each name a stage before all others, which every builder knows: newer ones alone are told of contexts by name.
 * @throws invalid for a name that a stage of the Dockerfile has too
 */
export function withStages(
  text: string,
  stages: NamedStage[],
  type: string,
): { text: string; added: AddedLines } {
  if (stages.length === 0) return { text, added: noLines }
  const froms = readInstructions(text).filter(({ name }) => name === 'FROM')
  const own = new Set(froms.flatMap(({ rest }) => /\sAS\s+(\S+)\s*$/i.exec(rest)?.[1]?.toLowerCase() ?? []))
  for (const { name } of stages) if (own.has(name.toLowerCase())) throw taken(name, type)
  const at = froms[0]?.line ?? 1
  const lines = text.split('\n')
  const added = stages.map(({ name, image }) => `FROM ${image} AS ${name}`)
  return {
    text: [...lines.slice(0, at - 1), ...added, ...lines.slice(at - 1)].join('\n'),
    added: { at, count: added.length },
  }
}

function taken(name: string, type: string): RackError {
  const message = `${type}: build.additional_contexts: the Dockerfile has a stage "${name}" of its own`
  return new RackError('invalid', message, { hint: 'Give the context or the stage another name.' })
}

/** Where a line stands in the Dockerfile as it was written. */
export function writtenLine(line: number, { at, count }: AddedLines): number {
  return line < at ? line : Math.max(at, line - count)
}

/** A Dockerfile as it was written. */
export function writtenText(text: string, { at, count }: AddedLines): string {
  const lines = text.split('\n')
  return count === 0 ? text : [...lines.slice(0, at - 1), ...lines.slice(at - 1 + count)].join('\n')
}
