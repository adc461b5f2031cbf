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

/** How much text variables that hold each other may add. */
const mostAddedText = 256 * 1024
/** Blank lines and comments that take as long as one value. */
const linesOfOne = 8
const assignment = /^(?:export[ \t]+)?([\p{L}\p{N}_.[\]-]+)[ \t]*(?:=|:[ \t])/u
const bareName = /^(?:export[ \t]+)?([\p{L}\p{N}_.[\]-]+)[ \t]*$/u

/**
 * Reads a `.env` file as Compose does: quotes, values of many lines, comments, `export`, names alone, which `lookup` may
 * know, and variables that name earlier lines or what `lookup` knows (which wins).
 */
export function parseDotenv(
  text: string,
  lookup: Lookup,
  { isRaw = false, before = new Map() }: DotenvOptions = {},
): DotenvFile {
  const file: DotenvFile = { values: new Map(), work: 0, faults: [], gaps: [] }
  const known = (name: string) => lookup(name) ?? file.values.get(name) ?? before.get(name)
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/)
  file.work = lines.length / linesOfOne
  let added = 0
  for (let index = 0; index < lines.length; index += 1) {
    const line = (lines[index] ?? '').trimStart()
    if (line === '' || line.startsWith('#')) continue
    const match = assignment.exec(line)
    file.work += 1
    if (!match) {
      const [, bare] = bareName.exec(line) ?? []
      const value = bare && lookup(bare)
      if (bare === undefined)
        file.faults.push({ line: index + 1, message: 'not a line of the form NAME=value' })
      else if (value !== undefined) file.values.set(bare, value)
      continue
    }
    const [head, name = ''] = match
    const rest = line.slice(head.length)
    const read = isRaw
      ? { value: rest, template: null, last: index }
      : readValue(rest.replace(/^[ \t]+/, ''), lines, index)
    if (read === null) {
      file.faults.push({ line: index + 1, message: 'the quote is not closed' })
      break
    }
    const value = read.template === null ? read.value : fill(read.template, file, known, index + 1)
    file.values.set(name, value)
    added += Math.max(0, value.length - read.value.length)
    if (added > mostAddedText) {
      file.faults.push({ line: index + 1, message: 'the variables of the file expand to too much text' })
      break
    }
    index = read.last
  }
  return file
}

interface Read {
  value: string
  /** The text whose variables are filled in; null for one that is taken as it stands. */
  template: string | null
  last: number
}

function readValue(rest: string, lines: string[], index: number): Read | null {
  const quote = rest[0]
  if (quote !== '"' && quote !== "'") {
    const value = rest.replace(/ #.*$/, '').trimEnd()
    return { value, template: value, last: index }
  }
  let body = rest.slice(1)
  const parts: string[] = []
  for (let last = index; ; last += 1) {
    const end = closingQuote(body, quote)
    if (end >= 0) {
      const value = [...parts, body.slice(0, end)].join('\n')
      if (quote === '"') return { value, template: unescape(value), last }
      return {
        value: value.replace(/\\(.)/g, (whole, char) => (char === "'" ? char : whole)),
        template: null,
        last,
      }
    }
    parts.push(body)
    const next = lines[last + 1]
    if (next === undefined) return null
    body = next
  }
}

function closingQuote(text: string, quote: string): number {
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1
    else if (text[at] === quote) return at
  }
  return -1
}

const escapes: Record<string, string> = {
  n: '\n',
  r: '\r',
  t: '\t',
  a: '\u0007',
  b: '\b',
  f: '\f',
  v: '\v',
  $: '$$',
  '"': '"',
  '\\': '\\',
}

/** An escaped dollar stays one after the variables are filled in. */
function unescape(text: string): string {
  return text.replace(/\\(.)/g, (whole, char: string) => escapes[char] ?? whole)
}

function fill(template: string, file: DotenvFile, lookup: Lookup, line: number): string {
  if (!template.includes('$')) return template
  file.work += template.split('$').length - 1
  const { text, missing, fault } = interpolate(template, lookup)
  if (fault !== null) file.faults.push({ line, message: fault })
  for (const { name, isRequired, message } of missing) {
    const why = message ? `: ${message}` : ''
    if (isRequired) file.gaps.push({ line, message: `the variable ${name} is required${why}` })
  }
  if (missing.some(({ isRequired }) => !isRequired)) file.gaps.push({ line, message: null })
  return text
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
