import { baseOf, directoryOf, isRemote, joinInside } from '../paths.ts'
import { textOf } from '../keys/values/values.ts'
import { didYouMean } from '../nearest.ts'
import { mergeTrees } from '../syntax/merge-trees.ts'
import { childOf, shown, type Entry, type MapNode, type Node } from '../syntax/tree.ts'
import { judge, shapeFile } from './judge.ts'
import { furtherText, mayRepeat, whereFrom, type Loading, type LoadScope } from './loading.ts'

/** Longer chains are mistakes, and cost more than they are worth. */
const longestChain = 32

/** The processes of one file as they may be extended. */
export interface Shelf {
  path: string
  names: () => Iterable<string>
  /** The process with its keys judged; undefined when the file has none of that name. */
  take: (name: string) => MapNode | undefined
  /** Those that have been extended already. */
  done: Map<string, Extended>
}

interface Extended {
  service: MapNode
  /** Processes below it. */
  depth: number
}

/** One process on the way from one that extends to one that is extended. */
interface Step {
  shelf: Shelf
  name: string
}

interface Extending {
  shelves: Map<string, Shelf | null>
  scope: LoadScope
  loading: Loading
}

/** The processes of a file that is judged already. */
export function shelfOf(path: string, services: Node | undefined): Shelf {
  const names = () => (services?.kind === 'map' ? services.entries.keys() : [])
  const take = (name: string) => {
    const value = childOf(services, name)
    return value?.kind === 'map' ? value : undefined
  }
  return { path, names, take, done: new Map() }
}

/** Lays every process that has `extends` over the one that it names, in this file or another. */
export function applyExtends(root: MapNode, own: Shelf, scope: LoadScope, loading: Loading): MapNode {
  const services = root.entries.get('services')
  if (services?.value.kind !== 'map') return root
  const extending: Extending = { shelves: new Map([[own.path, own]]), scope, loading }
  const entries = new Map<string, Entry>()
  for (const [name, entry] of services.value.entries) {
    const service = extendsOf(entry.value) && extend({ shelf: own, name }, [], extending)?.service
    entries.set(name, service ? { ...entry, value: service } : entry)
  }
  return withEntry(root, 'services', { ...services, value: { ...services.value, entries } })
}

function extend(step: Step, chain: Step[], extending: Extending): Extended | null {
  const { shelf, name } = step
  const known = shelf.done.get(name)
  if (known) return known
  const taken = shelf.take(name)
  if (!taken) return null
  const extended = laidOver(taken, step, chain, extending)
  shelf.done.set(name, extended)
  return extended
}

function laidOver(service: MapNode, step: Step, chain: Step[], extending: Extending): Extended {
  const at = extendsOf(service)
  // What cannot be followed keeps its key: what may be missing because of it is no mistake of its own.
  const unfollowed: Extended = { service, depth: 0 }
  const target = at && targetOf(at, step, extending)
  if (!at || !target) return unfollowed
  const steps = [...chain, step]
  const loop = steps.findIndex(({ shelf, name }) => shelf === target.shelf && name === target.name)
  if (loop >= 0) {
    const names = [...steps.slice(loop), target].map(({ shelf, name }) => `${name} (${shelf.path})`)
    extending.loading.problems.error(at, `these processes extend each other: ${names.join(' → ')}`)
    return unfollowed
  }
  const cutShort = () => {
    extending.loading.problems.error(at, `more than ${longestChain} processes extend one another`)
    return unfollowed
  }
  // Looked at before the next step is taken, so that the chain bounds the calls too.
  if (steps.length > longestChain) return cutShort()
  const base = extend(target, steps, extending)
  if (!base) return unfollowed
  if (base.depth + 1 > longestChain) return cutShort()
  if (!mayRepeat(base.service, at, extending.loading)) return unfollowed
  const entries = new Map([...service.entries].filter(([key]) => key !== 'extends'))
  return { service: merged(base.service, { ...service, entries }), depth: base.depth + 1 }
}

/** What a later file takes away is nothing to follow. */
function extendsOf(service: Node): Node | undefined {
  const node = childOf(service, 'extends')
  return node?.tag === '!reset' ? undefined : node
}

/** What `extends` names, in both syntaxes; null after saying why it cannot be had. */
function targetOf(node: Node, { shelf, name }: Step, extending: Extending): Step | null {
  const { problems } = extending.loading
  const serviceNode = node.kind === 'map' ? childOf(node, 'service') : node
  const service = textOf(serviceNode, problems)
  if (!service) {
    if (serviceNode && serviceNode.kind !== 'scalar') return null
    problems.error(node, '`extends` needs the name of a process', 'write `extends: { service: NAME }`')
    return null
  }
  const fileNode = childOf(node, 'file')
  const file = textOf(fileNode, problems)
  const other = fileNode && file ? shelfAt(fileNode, file, extending) : shelf
  if (!other) return null
  const isThere = other.take(service) !== undefined
  if (isThere) return { shelf: other, name: service }
  const message = `there is no process ${shown(serviceNode ?? node)} in ${other.path}`
  const others = [...other.names()].filter((one) => other !== shelf || one !== name)
  const isFile = /\.ya?ml$/.test(service)
  problems.error(serviceNode ?? node, message, () =>
    isFile ? 'write `extends: { file: FILE, service: NAME }`' : didYouMean(service, others),
  )
  return null
}

function shelfAt(at: Node, file: string, extending: Extending): Shelf | null {
  const { loading, shelves } = extending
  const path = isRemote(file) ? null : joinInside(baseOf(at), file)
  if (path === null) {
    const why = isRemote(file) ? 'is not in the source' : 'lies outside of the source directory'
    loading.problems.error(at, `${shown(at)} ${why}`, 'copy the file into the source directory')
    return null
  }
  const known = shelves.get(path)
  if (known !== undefined) return known
  const shelf = openShelf(at, path, extending)
  shelves.set(path, shelf)
  return shelf
}

/** Another file: only the processes that are taken from it are judged, since the others are not used. */
function openShelf(at: Node, path: string, { loading, scope }: Extending): Shelf | null {
  const text = furtherText(loading, path)
  if (text === undefined) {
    loading.problems.error(at, `the file ${shown(at)} does not exist`, whereFrom(at))
    return null
  }
  const base = directoryOf(path)
  const shaped = shapeFile({ path, text }, base, loading)
  if (!shaped) return null
  const services = childOf(shaped.root, 'services')
  const raw = shelfOf(path, services)
  const taken = new Map<string, MapNode | undefined>()
  const take = (name: string): MapNode | undefined => {
    if (taken.has(name)) return taken.get(name)
    const entry = services?.kind === 'map' ? services.entries.get(name) : undefined
    const service = entry?.value.kind === 'map' ? judgeOne(shaped.root, name, entry) : undefined
    taken.set(name, service)
    return service
  }
  const judgeOne = (root: MapNode, name: string, entry: Entry): MapNode | undefined => {
    const alone: MapNode = { ...root, entries: new Map([[name, entry]]) }
    const services = { key: entry.key, value: alone }
    const judged = judge({ ...root, entries: new Map([['services', services]]) }, { ...scope, base }, loading)
    const service = childOf(childOf(judged, 'services'), name)
    return service?.kind === 'map' ? service : undefined
  }
  return { ...raw, take }
}

/** By the rules of merging files. */
function merged(base: MapNode, over: MapNode): MapNode {
  const wrap = (service: MapNode): MapNode => {
    const entry = { key: service, value: service }
    const services = { ...service, entries: new Map([['service', entry]]) }
    return { ...service, entries: new Map([['services', { key: service, value: services }]]) }
  }
  const both = childOf(childOf(mergeTrees([wrap(base), wrap(over)]), 'services'), 'service')
  return both?.kind === 'map' ? both : over
}

function withEntry(map: MapNode, name: string, entry: Entry): MapNode {
  return { ...map, entries: new Map(map.entries).set(name, entry) }
}
