/** The schemas that the SDK exports (`CreateServiceRequest$`), in a form that can be walked. Their arrays are told apart by their first number (S). */

export type Kind =
  | 'string'
  | 'number'
  | 'boolean'
  | 'time'
  | 'blob'
  | 'document'
  | 'list'
  | 'map'
  | 'struct'
  | 'unit'

export type TimeForm = 'default' | 'date-time' | 'http-date' | 'epoch'

export interface Traits {
  httpLabel?: 1
  httpPayload?: 1
  httpQueryParams?: 1
  httpResponseCode?: 1
  httpQuery?: string
  httpHeader?: string
  httpPrefixHeaders?: string
  /** Method, path with labels and fixed query, status. */
  http?: [string, string, number]
  httpError?: number
  awsQueryError?: [string, number]
  jsonName?: string
  xmlName?: string
  xmlFlattened?: 1
  xmlAttribute?: 1
  xmlNamespace?: unknown
}

export interface Shape {
  kind: Kind
  name: string
  /** Of the shape itself. */
  own: Traits
  /** Of the member that it stands in. */
  member: Traits
  time: TimeForm
  isUnion: boolean
  isError: boolean
  /** Of a structure, in order. */
  members: Map<string, Shape>
  required: Set<string>
  /** Of a list or a map. */
  value: Shape
}

export interface Operation {
  name: string
  traits: Traits
  input: Shape
  output: Shape
}

const bits = [
  'httpLabel',
  'idempotent',
  'idempotencyToken',
  'sensitive',
  'httpPayload',
  'httpResponseCode',
  'httpQueryParams',
]

function traitsOf(indicator: unknown): Traits {
  if (typeof indicator === 'object' && indicator !== null) return indicator
  const number = Number(indicator ?? 0)
  return Object.fromEntries(bits.filter((_, bit) => (number >> bit) & 1).map((trait) => [trait, 1]))
}

const simple: Record<number, [Kind, TimeForm]> = {
  0: ['string', 'default'],
  1: ['number', 'default'],
  2: ['boolean', 'default'],
  4: ['time', 'default'],
  5: ['time', 'date-time'],
  6: ['time', 'http-date'],
  7: ['time', 'epoch'],
  15: ['document', 'default'],
  17: ['number', 'default'],
  19: ['number', 'default'],
  21: ['blob', 'default'],
  42: ['blob', 'default'],
}

/** A shape whose inner parts are made when they are first asked for, since schemas hold themselves. */
function lazy(
  fixed: Omit<Shape, 'members' | 'required' | 'value'>,
  inner: Partial<{ value: unknown; struct: unknown[] }>,
): Shape {
  let members: Map<string, Shape> | undefined
  let value: Shape | undefined
  const names = (inner.struct?.[4] ?? []) as string[]
  const schemas = (inner.struct?.[5] ?? []) as unknown[]
  return {
    ...fixed,
    required: new Set(names.slice(0, Number(inner.struct?.[6] ?? 0))),
    get members() {
      members ??= new Map(names.map((name, at) => [name, shapeOf(schemas[at])]))
      return members
    },
    get value() {
      value ??= shapeOf(inner.value)
      return value
    },
  }
}

function numbered(schema: number, name: string, own: Traits, member: Traits): Shape {
  const fixed = { name, own, member, isUnion: false, isError: false, time: 'default' as TimeForm }
  if (schema >= 128) return lazy({ ...fixed, kind: 'map' }, { value: schema & 63 })
  if (schema >= 64) return lazy({ ...fixed, kind: 'list' }, { value: schema & 63 })
  const [kind, time] = simple[schema] ?? unknownSchema(schema)
  return lazy({ ...fixed, kind, time }, {})
}

function unknownSchema(schema: unknown): never {
  throw new Error(`the SDK exports a schema that is not known here: ${JSON.stringify(schema)}`)
}

function shapeOf(reference: unknown, member: Traits = {}): Shape {
  if (typeof reference === 'function') return shapeOf((reference as () => unknown)(), member)
  if (typeof reference === 'number') return numbered(reference, '', {}, member)
  if (reference === 'unit' || reference === undefined) {
    return lazy(
      { kind: 'unit', name: '', own: {}, member, isUnion: false, isError: false, time: 'default' },
      {},
    )
  }
  if (!Array.isArray(reference)) return unknownSchema(reference)
  if (reference.length === 2) return shapeOf(reference[0], { ...traitsOf(reference[1]), ...member })
  const [form, , name, traits] = reference as [number, string, string, unknown]
  const fixed = {
    name,
    own: traitsOf(traits),
    member,
    isUnion: form === 4,
    isError: form === -3,
    time: 'default' as TimeForm,
  }
  if (form === 0) return numbered(reference[4] as number, name, fixed.own, member)
  if (form === 1) return lazy({ ...fixed, kind: 'list' }, { value: reference[4] })
  if (form === 2) return lazy({ ...fixed, kind: 'map' }, { value: reference[5] })
  if (form === 3 || form === -3 || form === 4)
    return lazy({ ...fixed, kind: 'struct' }, { struct: reference })
  return unknownSchema(reference)
}

/** An operation as an SDK module exports it: `CreateService$`. */
export function operationOf(sdk: Record<string, unknown>, action: string): Operation | undefined {
  const schema = sdk[`${action}$`]
  if (!Array.isArray(schema) || schema[0] !== 9) return undefined
  return { name: action, traits: traitsOf(schema[3]), input: shapeOf(schema[4]), output: shapeOf(schema[5]) }
}

/** The error that a module exports by that name, or by the code that goes over the wire. */
export function errorOf(sdk: Record<string, unknown>, name: string): Shape | undefined {
  const schema = sdk[`${name}$`]
  if (Array.isArray(schema) && schema[0] === -3) return shapeOf(schema)
  return undefined
}
