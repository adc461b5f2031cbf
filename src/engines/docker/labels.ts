import type { Owner } from '../../domain/owner.ts'
import type { ProcessKind } from '../../domain/process.ts'

/** Labels on everything the engine makes; the manifest refuses this prefix to compose files. */
export const labels = {
  rack: 'com.rack.name',
  /** Whose it is: one of these two. */
  app: 'com.rack.app',
  service: 'com.rack.service',
  type: 'com.rack.type',
  release: 'com.rack.release',
  process: 'com.rack.process',
  kind: 'com.rack.kind',
  /** Digest of what decides whether a copy may stay. */
  identity: 'com.rack.identity',
  operation: 'com.rack.operation',
  cpuUnits: 'com.rack.cpu-units',
  memoryBytes: 'com.rack.memory-bytes',
  /** What else is counted, JSON; empty for nothing. */
  extras: 'com.rack.extras',
  /** The arguments as a person gave them, JSON. */
  command: 'com.rack.command',
  drainMs: 'com.rack.drain-ms',
  /** The policy that the copy gets when it has proved itself. */
  restart: 'com.rack.restart',
  timeoutMs: 'com.rack.timeout-ms',
  /** A client's terminal is joined to it, without which it shall not go on. */
  attached: 'com.rack.attached',
  volume: 'com.rack.volume',
  /** Where a connect shows that the copy serves. */
  port: 'com.rack.port',
  /** The networks of its file that it is on, JSON; empty for every one. */
  networks: 'com.rack.networks',
  /** It has no way out. */
  enclosed: 'com.rack.enclosed',
  /** A container that never runs: its image is looked at. */
  look: 'com.rack.look',
} as const

/** What the labels of a container say of its process. */
export interface ProcessLabels {
  rack: string
  owner: Owner
  type: string
  release: string
  process: string
  kind: ProcessKind
  identity: string
  operation: string
  cpuUnits: number
  memoryBytes: number
  extras: Record<string, number> | null
  command: string[]
  drainMs: number
  restart: string
  timeoutMs: number | null
  isAttached: boolean
  port: number | null
  /** Null is every one. */
  networks: string[] | null
  isEnclosed: boolean
}

const ownPrefix = 'com.rack.'

/** Labels of an app's own for its container, by name: none of them can say what only the engine may say. */
export function foreignLabels(given: Record<string, string>): Record<string, string> {
  const foreign = Object.entries(given).filter(([name]) => !name.startsWith(ownPrefix))
  return Object.fromEntries(foreign.sort(([a], [b]) => (a < b ? -1 : 1)))
}

const kinds: ReadonlySet<string> = new Set(['process', 'one-off', 'release-command', 'timer', 'agent'])

/** Null for a container whose labels were not written by a rack. */
export function readLabels(found: Record<string, string> | null | undefined): ProcessLabels | null {
  const read = (key: keyof typeof labels) => found?.[labels[key]] ?? ''
  const kind = read('kind')
  const owner = readOwner(found)
  if (!kinds.has(kind) || read('process') === '' || !owner) return null
  return {
    rack: read('rack'),
    owner,
    type: read('type'),
    release: read('release'),
    process: read('process'),
    kind: kind as ProcessKind,
    identity: read('identity'),
    operation: read('operation'),
    cpuUnits: Number(read('cpuUnits')),
    memoryBytes: Number(read('memoryBytes')),
    extras: readExtras(read('extras')),
    command: readList(read('command')),
    drainMs: Number(read('drainMs')),
    restart: read('restart'),
    timeoutMs: read('timeoutMs') === '' ? null : Number(read('timeoutMs')),
    isAttached: read('attached') === 'true',
    port: read('port') === '' ? null : Number(read('port')),
    networks: read('networks') === '' ? null : readList(read('networks')),
    isEnclosed: read('enclosed') === 'true',
  }
}

/** What names an owner on everything that is its own. */
export function ownerLabels({ kind, name }: Owner): Record<string, string> {
  return { [labels[kind]]: name }
}

/** Null for what no rack has made, and for what is the rack's as a whole. */
export function readOwner(found: Record<string, string> | null | undefined): Owner | null {
  for (const kind of ['app', 'service'] as const) {
    const name = found?.[labels[kind]] ?? ''
    if (name !== '') return { kind, name }
  }
  return null
}

/** What Docker is asked for. */
export interface OwnedFilter extends Partial<
  Record<'type' | 'process' | 'kind' | 'operation' | 'volume', string>
> {
  owner?: Owner | undefined
}

/** Docker's filter for what belongs to a rack, or to one of its apps or services. */
export function ownedBy(rack: string, { owner, ...more }: OwnedFilter = {}): { label: string[] } {
  const named = Object.entries(more).map(([key, value]) => [labels[key as keyof typeof labels], value])
  const wanted = [[labels.rack, rack], ...Object.entries(owner ? ownerLabels(owner) : {}), ...named]
  return { label: wanted.map(([label, value]) => `${label}=${value}`) }
}

function readList(text: string): string[] {
  const parsed = readJson(text)
  return Array.isArray(parsed) ? parsed.map(String) : []
}

function readExtras(text: string): ProcessLabels['extras'] {
  const parsed = readJson(text)
  if (typeof parsed !== 'object' || parsed === null) return null
  return Object.fromEntries(Object.entries(parsed).map(([name, amount]) => [name, Number(amount)]))
}

/** Null for what no rack has written. */
function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}
