import type { Across } from './across.ts'
import { networksOf } from './networks.ts'
import type { PlacedProcess } from '../keys/process.ts'
import type { Node } from '../syntax/tree.ts'
import { shownPart } from '../syntax/tree.ts'

/**
 * Every host name leads whoever knows it to one process: links, aliases and container names share one network, or those
 * that keep processes apart.
 */
export function checkHostNames({ processes, problems }: Across): void {
  const circles = circlesOf(processes)
  const names = new Set(processes.map(({ type }) => type.name))
  const owners = new Map<string, Map<string, string>>()
  const ownersOn = (network: string) => {
    const known = owners.get(network) ?? new Map<string, string>()
    owners.set(network, known)
    return known
  }
  const byName = new Map(processes.map((placed) => [placed.type.name, placed]))
  for (const placed of processes)
    for (const network of circles.of(placed)) ownersOn(network).set(placed.type.name, placed.type.name)
  const claim = (name: string, { owner, networks, at }: Claim): void => {
    const key = name.toLowerCase()
    const seen = networks.flatMap((network) => circles.near(network).map(ownersOn))
    const other = seen.map((known) => known.get(key)).find((one) => one !== undefined && one !== owner)
    if (other === undefined) for (const network of networks) ownersOn(network).set(key, owner)
    else if (names.has(key))
      problems.error(at, `${shownPart(at, name)} is the name of another process`, 'choose another name')
    else
      problems.error(
        at,
        `the host name ${shownPart(at, name)} would lead to "${other}" and to "${owner}"`,
        'choose another name for one of them',
      )
  }
  for (const placed of processes) {
    const owner = placed.type.name
    for (const { value, at } of placed.hostNames) claim(value, { owner, networks: circles.of(placed), at })
    for (const { value, at, network } of placed.aliases)
      claim(value, { owner, networks: circles.of(placed, network), at })
  }
  for (const { type, links } of processes) {
    for (const { value, at } of links) {
      const { target, alias } = value
      const placed = byName.get(target)
      if (placed && !names.has(alias) && target !== type.name)
        claim(alias, { owner: target, networks: circles.of(placed), at })
    }
  }
}

interface Claim {
  owner: string
  networks: string[]
  at: Node
}

/** All are in one where no network keeps processes apart. */
const everyone = ''

/** Within which a name must be clear: a network, and those that one of its processes is on as well. */
function circlesOf(processes: PlacedProcess[]) {
  const near = new Map<string, Set<string>>([[everyone, new Set([everyone])]])
  for (const placed of processes) {
    const own = networksOf(placed)
    for (const network of own) near.set(network, new Set([...(near.get(network) ?? []), ...own]))
  }
  return {
    of: (placed: PlacedProcess, network?: string) => {
      if (!placed.type.isolation) return [everyone]
      return network === undefined ? networksOf(placed) : [network]
    },
    near: (network: string) => [...(near.get(network) ?? [])],
  }
}
