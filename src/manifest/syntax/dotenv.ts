import { parseDotenv as parseLines } from '../../lib/dotenv.ts'
import type { Problems } from '../problems.ts'
import { interpolate, type Lookup } from './interpolate.ts'

export interface DotenvFile {
  values: Map<string, string>
  /** What it took to read: one for a line that gives a value, for a variable in it, and for eight other lines. */
  work: number
  /** Lines that cannot be read, counted from 1. */
  faults: { line: number; message: string }[]
  /** Lines with a variable that has no value; the message is that of one that is required, else null. */
  gaps: { line: number; message: string | null }[]
}

export interface DotenvOptions {
  /** Takes every value as it stands. */
  isRaw?: boolean
  /** What files before this one hold: lines of this one win over it. */
  before?: ReadonlyMap<string, string>
}

/** Blank lines and comments that take as long as one value. */
const linesOfOne = 8

/**
 * Reads a `.env` file with names alone, which `lookup` may know, and variables that name earlier lines or what `lookup`
 * knows (which wins).
 */
export function parseDotenv(
  text: string,
  lookup: Lookup,
  { isRaw = false, before = new Map() }: DotenvOptions = {},
): DotenvFile {
  const [faults, gaps]: [DotenvFile['faults'], DotenvFile['gaps']] = [[], []]
  let variables = 0
  const fill = (template: string, line: number, earlier: ReadonlyMap<string, string>): string => {
    if (!template.includes('$')) return template
    variables += template.split('$').length - 1
    const known = (name: string) => lookup(name) ?? earlier.get(name) ?? before.get(name)
    const { text: filled, missing, fault } = interpolate(template, known)
    if (fault !== null) faults.push({ line, message: fault })
    for (const { name, isRequired, message } of missing) {
      const why = message ? `: ${message}` : ''
      if (isRequired) gaps.push({ line, message: `the variable ${name} is required${why}` })
    }
    if (missing.some(({ isRequired }) => !isRequired)) gaps.push({ line, message: null })
    return filled
  }
  const read = parseLines(text, { isRaw, lookup, fill })
  return {
    values: read.values,
    work: read.lines / linesOfOne + read.assignments + variables,
    faults: [...read.faults, ...faults].sort((a, b) => a.line - b.line),
    gaps,
  }
}

/** Says what is wrong with a file; of a line that may hold a secret no word is shown. */
export function reportDotenv(
  { faults, gaps }: DotenvFile,
  { file, path }: { file: string; path: string },
  problems: Problems,
): void {
  const placeOf = (line: number) => ({ path, position: { file, line, column: 1 } })
  for (const { line, message } of faults) problems.error(placeOf(line), message)
  for (const { line, message } of gaps) {
    if (message !== null) problems.variable(placeOf(line), 'error', message)
    else
      problems.variable(
        placeOf(line),
        'warning',
        'a variable in this line has no value; an empty text is used',
        'put the value in single quotes if the dollar is meant',
      )
  }
}
