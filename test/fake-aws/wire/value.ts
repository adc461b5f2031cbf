import type { Shape } from './shape.ts'

/** What a request holds that its schema has no place for. */
export class Refusal extends Error {
  override name = 'Refusal'
}

export function refuse(path: string, problem: string): never {
  throw new Refusal(`${path === '' ? 'the request' : path}: ${problem}`)
}

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const within = (path: string, name: string) => (path === '' ? name : `${path}.${name}`)

/** Turns what stood on the wire as text (forms, XML, headers, queries) into a value. */
export function fromText(shape: Shape, text: string, path: string): unknown {
  switch (shape.kind) {
    case 'string':
      return text
    case 'number':
      return text.trim() !== '' && Number.isFinite(Number(text))
        ? Number(text)
        : refuse(path, `'${text}' is no number`)
    case 'boolean':
      return text === 'true'
        ? true
        : text === 'false'
          ? false
          : refuse(path, `'${text}' is neither true nor false`)
    case 'blob':
      return new Uint8Array(Buffer.from(text, 'base64'))
    case 'time': {
      const time = /^[\d.]+$/.test(text) ? new Date(Number(text) * 1000) : new Date(text)
      return Number.isNaN(time.getTime()) ? refuse(path, `'${text}' is no time`) : time
    }
    default:
      return refuse(path, `a ${shape.kind} cannot be '${text}'`)
  }
}

/** The other way round; `where` decides how a time without a form of its own is written. */
export function toText(shape: Shape, value: unknown, where: 'xml' | 'header'): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (!(value instanceof Date)) return String(value)
  const form = shape.time === 'default' ? (where === 'header' ? 'http-date' : 'date-time') : shape.time
  if (form === 'epoch') return String(value.getTime() / 1000)
  return form === 'http-date' ? value.toUTCString() : value.toISOString()
}

/** @throws Refusal where a member is missing that must be there, at any depth */
export function assertRequired(shape: Shape, value: unknown, path = ''): void {
  if (value === undefined || value === null) return
  if (shape.kind === 'list')
    for (const [at, item] of (value as unknown[]).entries())
      assertRequired(shape.value, item, `${path}[${at}]`)
  if (shape.kind === 'map')
    for (const [key, item] of Object.entries(value)) assertRequired(shape.value, item, within(path, key))
  if (shape.kind !== 'struct') return
  const record = value as Record<string, unknown>
  for (const name of shape.required) {
    if (record[name] === undefined || record[name] === null) refuse(path, `${within(path, name)} is missing`)
  }
  if (shape.isUnion && Object.keys(record).length !== 1)
    refuse(path, 'exactly one of its members must be there')
  for (const [name, member] of shape.members) assertRequired(member, record[name], within(path, name))
}

/** @throws Error where an answer of this fake holds what the schema has no place for: a bug of the fake. */
export function assertKnown(shape: Shape, value: object): void {
  for (const name of Object.keys(value)) {
    if (!shape.members.has(name)) throw new Error(`${shape.name} has no member ${name}`)
  }
}
