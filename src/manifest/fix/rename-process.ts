import { isMap, isScalar, isSeq, type YAMLMap } from 'yaml'
import { isHostName } from '../keys/values/host-name.ts'
import type { Fix } from './fix.ts'
import { endOf, indentOf, lineStart, startOf, type Edit, type Spot, type YamlText } from './yaml-text.ts'

/**
 * Calls a process otherwise wherever the file names it, and keeps its old name as `container_name`, a host name inside the
 * app. Null where that is taken, or no host name.
 */
export function renameProcess(
  spot: Spot,
  { from, to }: Fix & { change: 'rename-process' },
  yaml: YamlText,
): Edit[] | null {
  if (spot.kind !== 'entry' || spot.key !== from || !isMap(spot.pair.value) || !isHostName(from)) return null
  const own = spot.pair.value
  if (own.flow || valueOf(own, 'container_name') !== undefined) return null
  const references = spot.parent.items.flatMap(({ value }) => referencesIn(value, from))
  const edits = [spot.pair.key, ...references].map((node) => respelledName(node, from, to, yaml))
  const name = containerName(own, from, yaml)
  return name === null || edits.includes(null) ? null : [...edits.filter((edit) => edit !== null), name]
}

function valueOf(map: unknown, key: string): unknown {
  if (!isMap(map)) return undefined
  return map.items.find((pair) => isScalar(pair.key) && pair.key.value === key)?.value ?? undefined
}

/** The values and keys of one process that name another. */
function referencesIn(service: unknown, name: string): unknown[] {
  const extended = valueOf(service, 'extends')
  const contexts = valueOf(valueOf(service, 'build'), 'additional_contexts')
  const isExtended = isMap(extended) && valueOf(extended, 'file') === undefined
  const candidates = [
    ...partsOf(valueOf(service, 'depends_on')),
    ...partsOf(valueOf(service, 'links')),
    ...partsOf(valueOf(service, 'volumes_from')),
    ...partsOf(contexts),
    ...(isMap(contexts) ? contexts.items.map(({ value }) => value) : []),
    valueOf(service, 'network_mode'),
    isExtended ? valueOf(extended, 'service') : extended,
  ]
  const names = new RegExp(`(^|service:)${RegExp.escape(name)}(:|$)`)
  return candidates.filter((node) => isScalar(node) && names.test(String(node.value)))
}

function partsOf(node: unknown): unknown[] {
  if (isSeq(node)) return node.items
  return isMap(node) ? node.items.map(({ key }) => key) : []
}

function respelledName(node: unknown, from: string, to: string, { text }: YamlText): Edit | null {
  const [start, end] = [startOf(node), endOf(node)]
  if (start === undefined || end === undefined) return null
  const at = text.slice(start, end).indexOf(from)
  return at < 0 ? null : { start: start + at, end: start + at + from.length, text: to }
}

/** As the first of its entries. */
function containerName(own: YAMLMap, from: string, { text, newline }: YamlText): Edit | null {
  const start = startOf(own.items[0]?.key)
  if (start === undefined) return null
  const at = lineStart(text, start)
  return {
    start: at,
    end: at,
    text: `${' '.repeat(indentOf(text, start))}container_name: ${JSON.stringify(from)}${newline}`,
  }
}
