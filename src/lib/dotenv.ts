export interface Dotenv {
  values: Record<string, string>
  /** Lines that cannot be read, counted from 1. */
  faults: { line: number; message: string }[]
}

const assignment = /^(?:export[ \t]+)?([^=\s#]+)[ \t]*=[ \t]*/
const escapes: Record<string, string> = { n: '\n', r: '\r', t: '\t', '"': '"', '\\': '\\', $: '$' }

/**
 * Reads `NAME=value` lines with quotes, values of many lines, comments and `export`. Nothing is filled in: a `$` stays
 * what it is. The last of two values of a name counts. Pure and total.
 */
export function parseDotenv(text: string): Dotenv {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/)
  const values = new Map<string, string>()
  const faults: Dotenv['faults'] = []
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at]!.trimStart()
    if (line === '' || line.startsWith('#')) continue
    const match = assignment.exec(line)
    if (!match) {
      faults.push({ line: at + 1, message: 'it is not NAME=value' })
      continue
    }
    const read = readValue(line.slice(match[0].length), lines, at)
    if (read === null) faults.push({ line: at + 1, message: 'its quote is not closed' })
    else {
      values.set(match[1]!, read.value)
      at = read.last
    }
  }
  return { values: Object.fromEntries(values), faults }
}

/** Writes variables so that `parseDotenv` reads the same again. */
export function formatDotenv(values: Record<string, string>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}=${quote(value)}\n`)
    .join('')
}

function quote(value: string): string {
  if (/^[\w@%+:,./=-]*$/.test(value)) return value
  if (!/['\n\r]/.test(value)) return `'${value}'`
  const escaped = value.replaceAll(/["\\$]/g, (letter) => `\\${letter}`)
  return `"${escaped.replaceAll('\n', String.raw`\n`).replaceAll('\r', String.raw`\r`)}"`
}

/** The value that begins in a line and the line in which it ends; null for a quote without an end. */
function readValue(rest: string, lines: string[], at: number): { value: string; last: number } | null {
  const mark = rest[0]
  if (mark !== '"' && mark !== "'") {
    return { value: rest.replace(/(^|[ \t])#.*$/, '').trimEnd(), last: at }
  }
  let body = rest.slice(1)
  const parts: string[] = []
  for (let last = at; ; last++) {
    const end = closing(body, mark)
    if (end !== -1) {
      const value = [...parts, body.slice(0, end)].join('\n')
      return { value: mark === "'" ? value : unescape(value), last }
    }
    parts.push(body)
    const next = lines[last + 1]
    if (next === undefined) return null
    body = next
  }
}

function closing(text: string, mark: string): number {
  for (let at = 0; at < text.length; at++) {
    if (mark === '"' && text[at] === '\\') at++
    else if (text[at] === mark) return at
  }
  return -1
}

function unescape(text: string): string {
  return text.replaceAll(/\\(.)/g, (whole, letter: string) => escapes[letter] ?? whole)
}
