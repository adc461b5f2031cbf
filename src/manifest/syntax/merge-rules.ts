import type { Place } from '../problems.ts'
import type { Entry, MapNode, Node } from './tree.ts'

/**
 * How the Compose Specification merges two values of one key, where it is not by the kind of the value. Keys are those
 * below a process; `*` is any name.
 * @see https://docs.docker.com/reference/compose-file/merge/
 */
export interface MergeRule {
  /** The later value takes the place of the earlier one, a list or a mapping too. */
  isReplaced?: true
  /** Brings a short form to the long one, so that both merge alike. */
  expand?: (node: Node) => Node
  /** What makes two items of a list the same one. */
  keyOf?: (item: Node) => string
  /** The later mapping takes the place of the earlier one where this key of both differs. */
  unlessSame?: string
}

const replaced: MergeRule = { isReplaced: true }
const pairs: MergeRule = { expand: (node) => (node.kind === 'list' ? mapOf(node, pairEntry) : node) }
const hosts: MergeRule = { expand: (node) => (node.kind === 'list' ? mapOf(node, hostEntry) : node) }
const names: MergeRule = { expand: (node) => (node.kind === 'list' ? mapOf(node, nameEntry) : node) }
const single: MergeRule = { expand: asList }

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
  depends_on: names,
  'deploy.labels': pairs,
  dns: single,
  dns_opt: single,
  dns_search: single,
  entrypoint: replaced,
  env_file: single,
  environment: pairs,
  extra_hosts: hosts,
  'healthcheck.test': replaced,
  label_file: single,
  labels: pairs,
  logging: { unlessSame: 'driver' },
  networks: names,
  ports: { keyOf: portKey },
  secrets: { keyOf: (item) => fileKey(item, '/run/secrets/') },
  sysctls: pairs,
  tmpfs: { ...single, keyOf: mountKey },
  'ulimits.*': { isReplaced: true },
  volumes: { keyOf: mountKey },
}

/** What makes two items of any other list the same one. */
export function itemKey(item: Node): string {
  if (item.kind === 'scalar') return `text ${String(item.value)}`
  const path = childText(item, 'path')
  return path === null ? `place ${JSON.stringify(item.position)}` : `text ${path}`
}

function childText(item: Node, name: string): string | null {
  const value = item.kind === 'map' ? item.entries.get(name)?.value : undefined
  return value?.kind === 'scalar' && value.value !== null ? String(value.value) : null
}

/** Volumes and tmpfs are the same where they are mounted at the same path. */
function mountKey(item: Node): string {
  if (item.kind === 'map') return `text ${childText(item, 'target') ?? JSON.stringify(item.position)}`
  if (item.kind !== 'scalar') return itemKey(item)
  const [first = '', second] = String(item.value).split(':')
  return `text ${second?.startsWith('/') ? second : first}`
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
  const triples = items.flatMap(entryOf)
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

function placeOf({ path, position, base, isIncomplete }: Node): Place {
  return {
    path,
    position,
    ...(base === undefined ? {} : { base }),
    ...(isIncomplete ? { isIncomplete } : {}),
  }
}
