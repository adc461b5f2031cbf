export interface Dotenv {
  values: Map<string, string>
  /** Lines that cannot be read, counted from 1. */
  faults: { line: number; message: string }[]
  /** Lines of the text, and those of them that are neither blank nor a comment. */
  lines: number
  assignments: number
}

export interface DotenvOptions {
  /** Takes every value as it stands, quotes and comments included. */
  isRaw?: boolean
  /** The value of a name that stands alone, undefined to leave it out; without this such a line cannot be read. */
  lookup?: (name: string) => string | undefined
  /**
   * Fills in the variables of a text that is not in single quotes, where `$$` is a dollar; `earlier` are the values so
   * far. Without this a dollar stays what it is.
   */
  fill?: (text: string, line: number, earlier: ReadonlyMap<string, string>) => string
}

const assignment = /^(?:export[ \t]+)?([\p{L}\p{N}_.[\]-]+)[ \t]*(?:=|:[ \t])/u
const bareName = /^(?:export[ \t]+)?([\p{L}\p{N}_.[\]-]+)[ \t]*$/u
/** How much text variables that hold each other may add. */
const mostAddedText = 256 * 1024

/**
 * Reads a `.env` file as Compose does: quotes, values of many lines, comments, `export`. The last of two values of a name
 * counts; nothing is read behind a quote that is not closed. Pure and total.
 *
 * @see https://github.com/compose-spec/compose-go/tree/main/dotenv
 */
export function parseDotenv(text: string, options: DotenvOptions = {}): Dotenv {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/)
  const file: Dotenv = { values: new Map(), faults: [], lines: lines.length, assignments: 0 }
  let added = 0
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at]!.trimStart()
    if (line === '' || line.startsWith('#')) continue
    file.assignments++
    const [head, name = ''] = assignment.exec(line) ?? []
    if (head === undefined) {
      takeBareName(file, line, at, options)
      continue
    }
    const read = readValue(line.slice(head.length), lines, at, options)
    if (read === null) return withFault(file, at, 'the quote is not closed')
    const value = read.isTemplate && options.fill ? options.fill(read.text, at + 1, file.values) : read.text
    if (value.includes('\0')) withFault(file, at, 'a value cannot hold a NUL byte')
    file.values.set(name, value)
    added += Math.max(0, value.length - read.text.length)
    if (added > mostAddedText) return withFault(file, at, 'the variables of the file expand to too much text')
    at = read.last
  }
  return file
}

function withFault(file: Dotenv, at: number, message: string): Dotenv {
  file.faults.push({ line: at + 1, message })
  return file
}

function takeBareName(file: Dotenv, line: string, at: number, { lookup }: DotenvOptions): void {
  const [, name] = bareName.exec(line) ?? []
  if (name === undefined || !lookup) {
    withFault(file, at, 'not a line of the form NAME=value')
    return
  }
  const value = lookup(name)
  if (value !== undefined) file.values.set(name, value)
}

/** Writes variables so that `parseDotenv` reads the same again. */
export function formatDotenv(values: Record<string, string>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}=${quote(value)}\n`)
    .join('')
}

function quote(value: string): string {
  if (/^[\w@%+:,./=-]*$/.test(value)) return value
  if (!/['\\\n\r]/.test(value)) return `'${value}'`
  const escaped = value.replaceAll(/["\\$]/g, (letter) => `\\${letter}`)
  return `"${escaped.replaceAll('\n', String.raw`\n`).replaceAll('\r', String.raw`\r`)}"`
}

interface Value {
  text: string
  /** Whether its variables are filled in. */
  isTemplate: boolean
  /** The line in which it ends. */
  last: number
}

/** The value that begins in a line; null for a quote without an end. */
function readValue(after: string, lines: string[], at: number, options: DotenvOptions): Value | null {
  if (options.isRaw) return { text: after, isTemplate: false, last: at }
  const rest = after.replace(/^[ \t]+/, '')
  const mark = rest[0]
  if (mark !== '"' && mark !== "'") {
    return { text: rest.replace(/ #.*$/, '').trimEnd(), isTemplate: true, last: at }
  }
  let body = rest.slice(1)
  const parts: string[] = []
  for (let last = at; ; last++) {
    const end = closing(body, mark)
    if (end !== -1) {
      const value = [...parts, body.slice(0, end)].join('\n')
      if (mark === "'") return { text: value.replaceAll(String.raw`\'`, "'"), isTemplate: false, last }
      return { text: unescape(value, options.fill ? '$$' : '$'), isTemplate: true, last }
    }
    parts.push(body)
    const next = lines[last + 1]
    if (next === undefined) return null
    body = next
  }
}

function closing(text: string, mark: string): number {
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '\\') at++
    else if (text[at] === mark) return at
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
  '"': '"',
  '\\': '\\',
}

function unescape(text: string, dollar: string): string {
  return text.replaceAll(/\\(.)/g, (whole, char: string) =>
    char === '$' ? dollar : (escapes[char] ?? whole),
  )
}
