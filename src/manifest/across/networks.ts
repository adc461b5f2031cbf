import { lendsAddress } from '../../domain/isolation.ts'
import type { Network, ProcessType } from '../../domain/manifest.ts'
import type { PlacedProcess } from '../keys/process.ts'
import { isThere } from '../lacks.ts'
import type { Across } from './across.ts'

/** Each costs rules of the machine, for every copy that is on it. */
const mostNetworks = 32

/**
 * Where two processes share no network, or one has no way out, each process gets the networks that it is on, and the
 * file is checked for what is cut off by that. A file whose processes all share one keeps nobody apart.
 */
export function separateNetworks(across: Across): void {
  const { processes, internalNetworks, features, problems } = across
  const isEnclosed = (placed: PlacedProcess) => networksOf(placed).every((name) => internalNetworks.has(name))
  const apart = firstApart(processes)
  if (apart) {
    const at = apart.networks[0]?.at ?? apart.entry.key
    if (!isThere(features.separateNetworks, at, 'a network that keeps processes apart', problems)) return
  }
  if (!apart && !processes.some(isEnclosed)) return
  for (const placed of processes) isolate(placed, isEnclosed(placed))
  boundNetworks(across)
  for (const placed of processes) {
    checkReach(placed, across)
    tellOfForgers(placed, across)
    tellOfLeftOut(placed, across)
    if (isEnclosed(placed)) closePorts(placed, across)
  }
}

/** The networks of the file that its processes are on, where they keep some apart. */
export function networksInUse(types: ProcessType[], internal: Set<string>): { networks?: Network[] } {
  const names = types.flatMap(({ isolation }) => (isolation?.networks ?? []).map(({ name }) => name))
  if (names.length === 0) return {}
  return {
    networks: [...new Set(names)].sort().map((name) => ({ name, isInternal: internal.has(name) })),
  }
}

/** Those that a process is on, each once. */
export function networksOf({ networks }: PlacedProcess): string[] {
  return networks.length === 0 ? ['default'] : [...new Set(networks.map(({ value }) => value))].sort()
}

/** Bounds the comparison of each with each; with more ways to be on networks somebody is apart. */
const mostGroups = 200

/** A process that shares no network with one before it; null where all share one with each other. */
function firstApart(processes: PlacedProcess[]): PlacedProcess | null {
  const groups = new Map<string, PlacedProcess>()
  for (const placed of processes) {
    const key = JSON.stringify(networksOf(placed))
    if (groups.has(key)) continue
    if (groups.size === mostGroups || [...groups.values()].some((other) => areApart(placed, other)))
      return placed
    groups.set(key, placed)
  }
  return null
}

function areApart(one: PlacedProcess, other: PlacedProcess): boolean {
  const names = new Set(networksOf(one))
  return !networksOf(other).some((name) => names.has(name))
}

/** Aliases are names on their network alone, others on all of its networks. */
function isolate(placed: PlacedProcess, isEnclosed: boolean): void {
  const { type, aliases, hostNames } = placed
  const networks = networksOf(placed).map((name) => {
    const own = [...hostNames, ...aliases.filter(({ network }) => network === name)]
    const names = new Set(own.map(({ value }) => value))
    return { name, aliases: [...names].filter((alias) => alias !== type.name) }
  })
  type.isolation = { networks, isEnclosed }
  type.hostNames = []
}

function boundNetworks({ processes, problems }: Across): void {
  const used = new Set<string>()
  for (const placed of processes) {
    for (const name of networksOf(placed)) used.add(name)
    if (used.size <= mostNetworks) continue
    const message = `the processes of an app are on ${mostNetworks} networks at most`
    problems.error(placed.networks[0]?.at ?? placed.entry.key, message, 'let processes share a network')
    return
  }
}

/** A link promises a way; an order of starts does not need one. */
function checkReach(placed: PlacedProcess, { processes, problems }: Across): void {
  const { type, links, dependencies } = placed
  const isCutOff = (target: string) => {
    const other = processes.find((one) => one.type.name === target)
    return other !== undefined && areApart(placed, other)
  }
  const hint = (target: string) => `put "${type.name}" and "${target}" on one network, or remove it`
  for (const { value, at } of links) {
    const { target } = value
    if (isCutOff(target))
      problems.error(
        at,
        `the link leads nowhere: "${target}" is on no network of "${type.name}"`,
        hint(target),
      )
  }
  const linked = new Set(links.map(({ value }) => value.target))
  for (const { value, at } of dependencies) {
    const { target, condition } = value
    if (condition === 'completed' || linked.has(target) || !isCutOff(target)) continue
    const message = `"${type.name}" starts after "${target}", and does not reach it: they share no network`
    problems.warn(at, message, hint(target))
  }
}

const forging = new Set(['ALL', 'NET_ADMIN', 'NET_RAW'])

/** Processes are told apart by their addresses. */
function tellOfForgers({ type, entry }: PlacedProcess, { problems }: Across): void {
  const { privileged, capAdd } = type.container
  const added = capAdd.find((name) => forging.has(name.replace(/^CAP_/, '')))
  if (!privileged && added === undefined) return
  const why = privileged ? 'it is privileged' : `it has ${added}`
  problems.warn(
    entry.key,
    `"${type.name}" may speak under the address of another process, so no network keeps it apart: ${why}`,
    'remove what lets it, if it is to be kept apart',
  )
}

/** What would be a way round: it is left out. */
function tellOfLeftOut({ type, entry }: PlacedProcess, { problems }: Across): void {
  const { container, isolation, name } = type
  for (const parameter of Object.keys(container.sysctls).filter(lendsAddress)) {
    const message = `the kernel parameter ${parameter} of "${name}" is left out: networks tell processes apart by the one address that each has`
    problems.warn(entry.key, message, 'remove it, or let all processes share a network')
  }
  if (!isolation?.isEnclosed || container.dns.servers.length === 0) return
  const message = `the name servers of "${name}" are left out: it is on internal networks only, and reaches none`
  problems.warn(entry.key, message, 'remove `dns`, or put it on a network that is not internal too')
}

/** The router is a way in for who has none. */
function closePorts(placed: PlacedProcess, { problems }: Across): void {
  const { type } = placed
  placed.ports = placed.ports.map(({ at, port }) => {
    if (port.external === null) return { at, port }
    const message = `the port ${port.external} of "${type.name}" is reached inside the app alone: it is on internal networks only`
    problems.warn(at, message, 'put it on a network that is not internal too, or remove the port')
    const { isLocal: _isLocal, ...open } = port
    return { at, port: { ...open, external: null, protocol: port.protocol === 'udp' ? 'udp' : 'tcp' } }
  })
  type.ports = placed.ports.map(({ port }) => port)
}
