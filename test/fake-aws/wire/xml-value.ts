import type { Shape } from './shape.ts'
import { assertKnown, fromText, refuse, toText } from './value.ts'
import { type Element, escaped } from './xml.ts'

const nameOf = (member: Shape, name: string) => member.member.xmlName ?? name
const itemName = (list: Shape) => list.value.member.xmlName ?? list.value.own.xmlName ?? 'member'

function readList(shape: Shape, elements: Element[], path: string): unknown[] {
  const items = shape.member.xmlFlattened ? elements : (elements[0]?.children ?? [])
  return items.map((item, at) => readElement(shape.value, [item], `${path}[${at}]`))
}

function readStruct(shape: Shape, element: Element, path: string, only: (member: Shape) => boolean): object {
  const members = [...shape.members].filter(([, member]) => only(member))
  const names = new Map(members.map(([name, member]) => [nameOf(member, name), name]))
  const read: Record<string, unknown> = {}
  for (const key of new Set(element.children.map((child) => child.name))) {
    const name = names.get(key) ?? refuse(path, `unknown element ${key}`)
    const same = element.children.filter((child) => child.name === key)
    read[name] = readElement(shape.members.get(name)!, same, path === '' ? name : `${path}.${name}`)
  }
  return read
}

function readElement(shape: Shape, elements: Element[], path: string): unknown {
  if (shape.kind === 'list') return readList(shape, elements, path)
  if (elements.length !== 1) return refuse(path, 'stands more than once')
  if (shape.kind === 'struct') return readStruct(shape, elements[0]!, path, () => true)
  return fromText(shape, elements[0]!.text, path)
}

/** What the body of a REST XML request holds; `only` says which members stand in the body. @throws Refusal */
export function readXml(
  shape: Shape,
  element: Element,
  only: (member: Shape) => boolean = () => true,
): object {
  return readStruct(shape, element, '', only)
}

function writeList(shape: Shape, value: unknown[], name: string): string {
  if (shape.member.xmlFlattened) return value.map((item) => writeValue(shape.value, item, name)).join('')
  return `<${name}>${value.map((item) => writeValue(shape.value, item, itemName(shape))).join('')}</${name}>`
}

function writeMap(shape: Shape, value: object, name: string): string {
  const entries = Object.entries(value).map(
    ([key, item]) => `<entry><key>${escaped(key)}</key>${writeValue(shape.value, item, 'value')}</entry>`,
  )
  return `<${name}>${entries.join('')}</${name}>`
}

function writeValue(shape: Shape, value: unknown, name: string): string {
  if (value === undefined || value === null) return ''
  if (shape.kind === 'list') return writeList(shape, value as unknown[], name)
  if (shape.kind === 'map') return writeMap(shape, value, name)
  if (shape.kind === 'struct') return `<${name}>${writeMembers(shape, value)}</${name}>`
  return `<${name}>${escaped(toText(shape, value, 'xml'))}</${name}>`
}

/** The members of an answer as XML, without an element around them; `only` says which stand in the body. */
export function writeMembers(
  shape: Shape,
  value: object,
  only: (member: Shape) => boolean = () => true,
): string {
  assertKnown(shape, value)
  const record = value as Record<string, unknown>
  return [...shape.members]
    .filter(([, member]) => only(member))
    .map(([name, member]) => writeValue(member, record[name], nameOf(member, name)))
    .join('')
}
