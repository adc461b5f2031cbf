import type { CopySize, EngineFeatures } from '../../domain/features.ts'
import { defaultFormation, smallestMemoryBytes, type Formation } from '../../domain/manifest.ts'
import type { Problems } from '../problems.ts'
import { childOf, shown, type Node } from '../syntax/tree.ts'
import { bytesOf, decimalOf, integerOf } from './values/values.ts'

const mostCopies = 10_000
const unitsPerCore = 1024
/** Docker takes no fewer shares. */
const fewestUnits = 2
const mostUnits = 1024 * 1024

/**
 * What the first deploy reserves. CPU: the reservation, else `cpu_shares`, else a limit. Memory: the limit, else a
 * reservation. Each has a default.
 */
export function formationOf(service: Node, { copySize }: EngineFeatures, problems: Problems): Formation {
  const deploy = childOf(service, 'deploy')
  const resources = childOf(deploy, 'resources')
  const limits = childOf(resources, 'limits')
  const reservations = childOf(resources, 'reservations')
  const formation = {
    count: countOf(service, problems),
    cpuUnits: cpuUnitsOf(service, limits, reservations, problems),
    memoryBytes: memoryOf(service, limits, reservations, problems),
  }
  if (copySize !== true) checkSize(formation, copySize, service, problems)
  return formation
}

/** Says at the first key that asks for CPU, or for memory, that no copy can have so much. */
function checkSize(
  { cpuUnits, memoryBytes }: Formation,
  size: CopySize,
  service: Node,
  problems: Problems,
): void {
  const resources = childOf(childOf(service, 'deploy'), 'resources')
  const [limits, reservations] = [childOf(resources, 'limits'), childOf(resources, 'reservations')]
  const cpu = ['cpu_shares', 'cpus'].map((key) => childOf(service, key))
  const memory = ['mem_limit', 'mem_reservation'].map((key) => childOf(service, key))
  const say = (nodes: (Node | undefined)[]) => {
    const at = nodes.find((node) => node !== undefined)
    if (at) problems.error(at, `${shown(at)} is more than a copy can have: ${size.why}`, size.instead)
  }
  if (cpuUnits > size.cpuUnits) say([childOf(reservations, 'cpus'), ...cpu, childOf(limits, 'cpus')])
  if (memoryBytes > size.memoryBytes)
    say([childOf(limits, 'memory'), ...memory, childOf(reservations, 'memory')])
}

/** How many copies the first deploy starts. */
export function countOf(service: Node, problems: Problems): number {
  const replicas = childOf(childOf(service, 'deploy'), 'replicas')
  const scale = childOf(service, 'scale')
  const range = { min: 0, max: mostCopies }
  const first = integerOf(replicas, range, problems)
  const second = integerOf(scale, range, problems)
  if (scale && first !== null && second !== null && first !== second) {
    problems.error(scale, '`scale` and `deploy.replicas` differ', 'keep `deploy.replicas`')
  }
  return first ?? second ?? defaultFormation.count
}

function cpuUnitsOf(
  service: Node,
  limits: Node | undefined,
  reservations: Node | undefined,
  problems: Problems,
): number {
  const cores = (node: Node | undefined) => {
    const amount = decimalOf(node, problems)
    return amount === null ? null : within(node, Math.round(amount * unitsPerCore), problems)
  }
  const shares = childOf(service, 'cpu_shares')
  const fromShares = integerOf(shares, { min: 0, max: mostUnits }, problems)
  const given = [
    cores(childOf(reservations, 'cpus')),
    fromShares === null ? null : within(shares, fromShares, problems),
    cores(childOf(limits, 'cpus')),
    cores(childOf(service, 'cpus')),
  ]
  return given.find((units) => units !== null) ?? defaultFormation.cpuUnits
}

/** Compose reads 0 as "no limit", so the default holds. */
function within(node: Node | undefined, units: number, problems: Problems): number | null {
  if (units === 0 || node === undefined) return null
  if (units >= fewestUnits && units <= mostUnits) return units
  problems.error(
    node,
    `${shown(node)} is out of range`,
    `use ${fewestUnits} to ${mostUnits} units; one core is ${unitsPerCore}`,
  )
  return null
}

function memoryOf(
  service: Node,
  limits: Node | undefined,
  reservations: Node | undefined,
  problems: Problems,
): number {
  const read = (node: Node | undefined) => {
    const bytes = bytesOf(node, problems)
    if (node === undefined || bytes === null || bytes === 0) return null
    if (bytes >= smallestMemoryBytes) return bytes
    problems.error(node, `${shown(node)} is less memory than a container can have`, 'use "6m" or more')
    return null
  }
  const limit = read(childOf(limits, 'memory'))
  const oldLimit = read(childOf(service, 'mem_limit'))
  const place = childOf(service, 'mem_limit')
  if (place && limit !== null && oldLimit !== null && limit !== oldLimit) {
    problems.error(place, '`mem_limit` and `deploy.resources.limits.memory` differ', 'keep one of them')
  }
  const reserved = read(childOf(reservations, 'memory')) ?? read(childOf(service, 'mem_reservation'))
  return limit ?? oldLimit ?? reserved ?? defaultFormation.memoryBytes
}
