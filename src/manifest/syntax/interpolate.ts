/** What a template may read: a value, or undefined when the variable has none. */
export type Lookup = (name: string) => string | undefined

/** A variable that had no value where one was looked for. */
export interface Missing {
  name: string
  /** True for `${V:?text}`. */
  isRequired: boolean
  /** The text of `${V:?text}` as it is written: what its variables hold is not shown. */
  message: string
}

export interface Interpolation {
  text: string
  missing: Missing[]
  /** True when a `$` starts no variable: it stays, as Compose has it, though a person may mean more by it. */
  hasLoneDollar: boolean
  /** Why the template cannot be read; `text` is then as written. */
  fault: string | null
}

/** What variables may add to one value, so that those which hold others cannot grow without end. */
const mostAdded = 128 * 1024
const deepestTemplate = 20
const plainName = /[A-Za-z_][A-Za-z0-9_]*/y

interface Cursor {
  text: string
  at: number
  lookup: Lookup
  missing: Missing[]
  hasLoneDollar: boolean
}

/** Thrown inside this file only. */
class Fault extends Error {}

/** Replaces `$V ${V} ${V:-x} ${V-x} ${V:?x} ${V?x} ${V:+x} ${V+x}`, nested ones too; `$$` is a dollar. Never throws. */
export function interpolate(text: string, lookup: Lookup): Interpolation {
  const cursor: Cursor = { text, at: 0, lookup, missing: [], hasLoneDollar: false }
  try {
    const filled = readUntil(cursor, null, 0)
    return { text: filled, missing: cursor.missing, hasLoneDollar: cursor.hasLoneDollar, fault: null }
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    return { text, missing: [], hasLoneDollar: false, fault: error.message }
  }
}

/** Reads to the end, or to the `}` that closes a template. */
function readUntil(cursor: Cursor, close: '}' | null, depth: number): string {
  if (depth > deepestTemplate) throw new Fault('the variables are nested too deeply')
  let result = ''
  while (cursor.at < cursor.text.length) {
    const char = cursor.text[cursor.at]
    if (char === close) return result
    if (char === '$') {
      result += readVariable(cursor, depth)
    } else {
      const next = nextSpecial(cursor.text, cursor.at, close)
      result += cursor.text.slice(cursor.at, next)
      cursor.at = next
    }
    if (result.length > cursor.text.length + mostAdded) throw new Fault('the value grows too long')
  }
  if (close !== null) throw new Fault('a `${` has no closing `}`')
  return result
}

function nextSpecial(text: string, from: number, close: '}' | null): number {
  let next = from
  while (next < text.length && text[next] !== '$' && text[next] !== close) next += 1
  return next
}

function readVariable(cursor: Cursor, depth: number): string {
  const next = cursor.text[cursor.at + 1]
  if (next === '$') {
    cursor.at += 2
    return '$'
  }
  cursor.at += next === '{' ? 2 : 1
  const name = readName(cursor)
  if (next === '{') {
    if (name === null) throw new Fault('a `${` names no variable')
    return readBraces(cursor, name, depth)
  }
  if (name !== null) return plain(cursor, name)
  cursor.hasLoneDollar = true
  return '$'
}

function readName(cursor: Cursor): string | null {
  plainName.lastIndex = cursor.at
  const name = plainName.exec(cursor.text)?.[0]
  if (name === undefined) return null
  cursor.at += name.length
  return name
}

function readBraces(cursor: Cursor, name: string, depth: number): string {
  const operator = /^:?[-?+]/.exec(cursor.text.slice(cursor.at, cursor.at + 2))?.[0]
  if (operator === undefined) {
    if (cursor.text[cursor.at] !== '}')
      throw new Fault('the name in a `${` is followed by neither `}` nor an operator')
    cursor.at += 1
    return plain(cursor, name)
  }
  cursor.at += operator.length
  const outer = cursor.missing
  const start = cursor.at
  cursor.missing = []
  const argument = readUntil(cursor, '}', depth + 1)
  const inner = cursor.missing
  const written = cursor.text.slice(start, cursor.at)
  cursor.missing = outer
  cursor.at += 1
  return apply(cursor, { name, operator, argument, written, inner })
}

interface Operation {
  name: string
  operator: string
  argument: string
  written: string
  /** What the argument lacked; it counts only when the argument is used. */
  inner: Missing[]
}

function apply(cursor: Cursor, { name, operator, argument, written, inner }: Operation): string {
  const value = cursor.lookup(name)
  const isPresent = value !== undefined && (!operator.startsWith(':') || value !== '')
  const kind = operator.at(-1)
  if (kind === '?' && !isPresent) cursor.missing.push({ name, isRequired: true, message: written })
  if (kind === '?') return value ?? ''
  const usesArgument = kind === '+' ? isPresent : !isPresent
  if (usesArgument) cursor.missing.push(...inner)
  if (usesArgument) return argument
  return kind === '+' ? '' : (value ?? '')
}

function plain(cursor: Cursor, name: string): string {
  const value = cursor.lookup(name)
  if (value === undefined) cursor.missing.push({ name, isRequired: false, message: '' })
  return value ?? ''
}
