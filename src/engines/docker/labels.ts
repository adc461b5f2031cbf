import type { ProcessKind } from '../../domain/process.ts'

/** Labels on everything the engine makes; the manifest refuses this prefix to compose files. */
export const labels = {
  rack: 'com.rack.name',
  app: 'com.rack.app',
  type: 'com.rack.type',
  release: 'com.rack.release',
  process: 'com.rack.process',
  kind: 'com.rack.kind',
  /** Digest of what decides whether a copy may stay. */
  identity: 'com.rack.identity',
  operation: 'com.rack.operation',
  cpuUnits: 'com.rack.cpu-units',
  memoryBytes: 'com.rack.memory-bytes',
  /** The arguments as a person gave them, JSON. */
  command: 'com.rack.command',
  drainMs: 'com.rack.drain-ms',
  /** The policy that the copy gets when it has proved itself. */
  restart: 'com.rack.restart',
  timeoutMs: 'com.rack.timeout-ms',
  volume: 'com.rack.volume',
} as const

/** What the labels of a container say of its process. */
export interface ProcessLabels {
  rack: string
  app: string
  type: string
  release: string
  process: string
  kind: ProcessKind
  identity: string
  cpuUnits: number
  memoryBytes: number
  command: string[]
  drainMs: number
  restart: string
  timeoutMs: number | null
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
  if (!kinds.has(kind) || read('process') === '' || read('app') === '') return null
  return {
    rack: read('rack'),
    app: read('app'),
    type: read('type'),
    release: read('release'),
    process: read('process'),
    kind: kind as ProcessKind,
    identity: read('identity'),
    cpuUnits: Number(read('cpuUnits')),
    memoryBytes: Number(read('memoryBytes')),
    command: readCommand(read('command')),
    drainMs: Number(read('drainMs')),
    restart: read('restart'),
    timeoutMs: read('timeoutMs') === '' ? null : Number(read('timeoutMs')),
  }
}

/** Docker's filter for what belongs to a rack, or to one of its apps. */
export function ownedBy(
  rack: string,
  more: Partial<Record<keyof typeof labels, string>> = {},
): { label: string[] } {
  const extra = Object.entries(more).map(([key, value]) => `${labels[key as keyof typeof labels]}=${value}`)
  return { label: [`${labels.rack}=${rack}`, ...extra] }
}

function readCommand(text: string): string[] {
  try {
    const parsed: unknown = JSON.parse(text)
    return Array.isArray(parsed) ? parsed.map(String) : []
  } catch (error) {
    if (error instanceof SyntaxError) return []
    throw error
  }
}
