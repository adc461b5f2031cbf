import { baseOf, joinInside } from '../paths.ts'
import type { Place } from '../problems.ts'
import type { Entry, ListNode, MapNode, Node } from './tree.ts'

/**
 * How the Compose Specification merges two values of one key, where it is not by the kind of the value. Keys are those
 * below a process; `*` is any name.
 * @see https://docs.docker.com/reference/compose-file/merge/
 */
export interface MergeRule {
  /** The later value takes the place of the earlier one, a list or a mapping too; so does nothing at all. */
  isReplaced?: true
  /** The same, for each value of a mapping. */
  areValuesReplaced?: true
  /** Brings a short form to the long one, so that both merge alike. */
  expand?: (node: Node) => Node
  /** What makes two items of a list the same one. */
  keyOf?: (item: Node) => string
  /** The later mapping takes the place of the earlier one where this key of both differs. */
  unlessSame?: string
}

const replaced: MergeRule = { isReplaced: true }
const pairs: MergeRule = {
  expand: (node) => (node.kind === 'list' ? mapOf(node, pairEntry) : node),
  areValuesReplaced: true,
}
const hosts: MergeRule = { expand: (node) => (node.kind === 'list' ? hostsOf(node) : node) }
const names: MergeRule = { expand: (node) => (node.kind === 'list' ? mapOf(node, nameEntry) : node) }
const dependencies: MergeRule = {
  expand: (node) => (node.kind === 'list' ? mapOf(node, dependencyEntry) : node),
}
const single: MergeRule = { expand: asList }
const files: MergeRule = { ...single, keyOf: pathKey }

/** By the key path below a process. */
export const mergeRules: Record<string, MergeRule> = {
  annotations: pairs,
  build: { expand: (node) => (node.kind === 'scalar' ? mapOf(listOf(node), contextEntry) : node) },
  'build.additional_contexts': pairs,
  'build.args': pairs,
  'build.extra_hosts': hosts,
  'build.labels': pairs,
  command: replaced,
  configs: { keyOf: (item) => fileKey(item, '/') },
  depends_on: dependencies,
  'deploy.labels': pairs,
  dns: single,
  dns_opt: single,
  dns_search: single,
  entrypoint: replaced,
  env_file: files,
  environment: pairs,
  extra_hosts: hosts,
  'healthcheck.test': replaced,
  label_file: files,
  labels: pairs,
  logging: { unlessSame: 'driver' },
  networks: names,
  ports: { keyOf: portKey },
  secrets: { keyOf: (item) => fileKey(item, '/run/secrets/') },
  sysctls: pairs,
  tmpfs: { ...single, keyOf: mountKey },
  volumes: { keyOf: mountKey },
}

/** What makes two items of any other list the same one. */
export function itemKey(item: Node): string {
  return item.kind === 'scalar' ? `text ${String(item.value)}` : `place ${JSON.stringify(item.position)}`
}

/** Files are the same where they have the same path, wherever that starts. */
function pathKey(item: Node): string {
  const path = item.kind === 'scalar' ? String(item.value) : childText(item, 'path')
  return path === null ? itemKey(item) : `text ${joinInside(baseOf(item), path) ?? path}`
}

function childText(item: Node, name: string): string | null {
  const value = item.kind === 'map' ? item.entries.get(name)?.value : undefined
  return value?.kind === 'scalar' && value.value !== null ? String(value.value) : null
}

/** Volumes and tmpfs are the same where they are mounted at the same path. */
function mountKey(item: Node): string {
  if (item.kind === 'map') {
    const target = childText(item, 'target')
    return `text ${target === null ? JSON.stringify(item.position) : withoutSlash(target)}`
  }
  if (item.kind !== 'scalar') return itemKey(item)
  const [first = '', second] = String(item.value).split(':')
  return `text ${withoutSlash(second?.startsWith('/') ? second : first)}`
}

function withoutSlash(path: string): string {
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path
}

/** Configs and secrets are the same where they become the same file. */
function fileKey(item: Node, folder: string): string {
  if (item.kind === 'scalar') return `text ${folder}${String(item.value)}`
  const target = childText(item, 'target') ?? childText(item, 'source') ?? JSON.stringify(item.position)
  return `text ${target.startsWith('/') ? target : folder + target}`
}

/** Ports are the same with the same two numbers and protocol, in whichever syntax. */
function portKey(item: Node): string {
  if (item.kind !== 'map') return itemKey(item).replace(/\/tcp$/, '')
  const published = childText(item, 'published')
  const address = childText(item, 'host_ip')
  const protocol = childText(item, 'protocol') ?? 'tcp'
  const numbers = [address, published, childText(item, 'target')].filter(
    (part) => part !== null && part !== '',
  )
  return `text ${numbers.join(':')}${protocol === 'tcp' ? '' : `/${protocol}`}`
}

type Triple = [name: string, key: Node, value: Node]

function mapOf(node: Node, entryOf: (item: Node) => Triple[]): MapNode {
  const items = node.kind === 'list' ? node.items : []
  return mapped(node, items.flatMap(entryOf))
}

function mapped(node: Node, triples: Triple[]): MapNode {
  const entries = new Map(
    triples.map(([name, key, value]): [string, Entry] => [name, { key: placeOf(key), value }]),
  )
  return { ...placeOf(node), kind: 'map', entries, ...(node.tag ? { tag: node.tag } : {}) }
}

function listOf(node: Node): Node {
  return { ...placeOf(node), kind: 'list', items: [node], ...(node.tag ? { tag: node.tag } : {}) }
}

function asList(node: Node): Node {
  return node.kind === 'list' || (node.kind === 'scalar' && node.value === null) ? node : listOf(node)
}

function contextEntry(node: Node): Triple[] {
  return node.kind === 'scalar' && node.value !== null ? [['context', node, node]] : []
}

function pairEntry(item: Node): Triple[] {
  return splitEntry(item, /=/)
}

/** A host may have several addresses. */
function hostsOf(node: ListNode): MapNode {
  const byName = Map.groupBy(node.items.flatMap(hostEntry), ([name]) => name)
  const grouped = [...byName].flatMap(([name, triples]): Triple[] => {
    const [first] = triples
    if (!first || triples.length === 1) return triples
    const items = triples.map(([, , value]) => value)
    return [[name, first[1], { ...placeOf(first[2]), kind: 'list', items }]]
  })
  return mapped(node, grouped)
}

function hostEntry(item: Node): Triple[] {
  return splitEntry(item, /[=:]/)
}

function splitEntry(item: Node, separator: RegExp): Triple[] {
  if (item.kind !== 'scalar' || item.value === null) return []
  const text = typeof item.value === 'string' ? item.value : item.source
  const at = text.search(separator)
  const value = at < 0 ? null : text.slice(at + 1)
  const name = at < 0 ? text : text.slice(0, at)
  return [[name, item, { ...item, value, isQuoted: true }]]
}

function nameEntry(item: Node): Triple[] {
  if (item.kind !== 'scalar' || typeof item.value !== 'string') return []
  return [[item.value, item, { ...placeOf(item), kind: 'map', entries: new Map() }]]
}

/** The short form says as much as the long one, so it replaces a condition. */
function dependencyEntry(item: Node): Triple[] {
  return nameEntry(item).map(([name, key, value]): Triple => {
    const place = placeOf(value)
    const condition: Entry = { key: place, value: textAt(item, 'service_started') }
    const required: Entry = { key: place, value: textAt(item, 'true') }
    const entries = new Map([
      ['condition', condition],
      ['required', required],
    ])
    return [name, key, { ...place, kind: 'map', entries }]
  })
}

function textAt(node: Node, value: string): Node {
  return { ...placeOf(node), kind: 'scalar', value, source: value, isQuoted: false }
}

function placeOf({ path, position, base, isIncomplete }: Node): Place {
  return {
    path,
    position,
    ...(base === undefined ? {} : { base }),
    ...(isIncomplete ? { isIncomplete } : {}),
  }
}
