import type { Shape } from './shape.ts'
import { assertKnown, isRecord, refuse } from './value.ts'

/** `named`: members bear the names that REST JSON gives them. */
export interface JsonForm {
  named: boolean
}

const nameOf = (member: Shape, name: string, { named }: JsonForm) => (named && member.member.jsonName) || name

function readStruct(shape: Shape, value: Record<string, unknown>, path: string, form: JsonForm): object {
  const names = new Map([...shape.members].map(([name, member]) => [nameOf(member, name, form), name]))
  const read: Record<string, unknown> = {}
  for (const [key, item] of Object.entries(value)) {
    const name = names.get(key) ?? refuse(path, `unknown member ${key}`)
    if (item !== null)
      read[name] = readJson(shape.members.get(name)!, item, path === '' ? name : `${path}.${name}`, form)
  }
  return read
}

function readTime(shape: Shape, value: unknown, path: string): Date {
  if (typeof value === 'number') return new Date(value * 1000)
  if (typeof value !== 'string' || shape.time === 'default')
    return refuse(path, 'must be a time as a number of seconds')
  return new Date(value)
}

/** What a JSON text holds, as the SDK's input shape. @throws Refusal */
export function readJson(shape: Shape, value: unknown, path: string, form: JsonForm): unknown {
  switch (shape.kind) {
    case 'unit':
      return {}
    case 'document':
      return value
    case 'struct':
      return isRecord(value) ? readStruct(shape, value, path, form) : refuse(path, 'must be a structure')
    case 'list':
      if (!Array.isArray(value)) return refuse(path, 'must be a list')
      return value.map((item, at) => readJson(shape.value, item, `${path}[${at}]`, form))
    case 'map':
      if (!isRecord(value)) return refuse(path, 'must be a map')
      return Object.fromEntries(
        Object.entries(value).map(([key, item]) => [
          key,
          readJson(shape.value, item, `${path}.${key}`, form),
        ]),
      )
    case 'time':
      return readTime(shape, value, path)
    case 'blob':
      return typeof value === 'string'
        ? new Uint8Array(Buffer.from(value, 'base64'))
        : refuse(path, 'must be base64')
    default:
      return typeof value === shape.kind ? value : refuse(path, `must be a ${shape.kind}`)
  }
}

function writeTime(shape: Shape, value: Date): unknown {
  if (shape.time === 'date-time') return value.toISOString()
  return shape.time === 'http-date' ? value.toUTCString() : value.getTime() / 1000
}

/** An answer as it goes into a JSON text. */
export function writeJson(shape: Shape, value: unknown, form: JsonForm): unknown {
  if (value === undefined || value === null) return undefined
  if (value instanceof Date) return writeTime(shape, value)
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (shape.kind === 'list') return (value as unknown[]).map((item) => writeJson(shape.value, item, form))
  if (shape.kind === 'map') {
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, writeJson(shape.value, item, form)]),
    )
  }
  if (shape.kind !== 'struct') return value
  assertKnown(shape, value)
  const record = value as Record<string, unknown>
  const members = [...shape.members].filter(([name]) => record[name] !== undefined)
  return Object.fromEntries(
    members.map(([name, member]) => [nameOf(member, name, form), writeJson(member, record[name], form)]),
  )
}
