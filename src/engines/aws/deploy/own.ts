import type { WebBalancer } from '../../../domain/aws-places.ts'
import type { Plan } from '../../../domain/plan.ts'
import type { Owner } from '../../../domain/owner.ts'
import type { ObservedCopy } from '../../../rollout/runtime.ts'
import type { AppPlaces } from '../definition/task-definition.ts'
import type { Records } from '../inside/records.ts'
import type { GenerationName } from '../names.ts'
import type { AwsParts } from '../parts.ts'
import type { Lost } from './lost.ts'

/** Copies of one type that are made from the same: one service of ECS. */
export interface Generation extends GenerationName {
  /** Of the service and of the family. */
  name: string
  release: string
  identity: string
  createdMs: number
  state: GenerationState
  drainMs: number
  volumes: string[]
  /** ARNs of its target groups. */
  groups: string[]
  /** ARN of its service of Cloud Map. */
  registry: string | null
  /** How many copies ECS was asked for last. */
  desired: number
  /** Process ids of copies that were stopped to make room: ECS knows nothing of them. */
  parked: string[]
  /** Of the service; empty before it is made. */
  arn: string
  /** ARN of its task definition. */
  definition: string
  /** False before its service was made, when all else of it is there. */
  isMade: boolean
}

/** It is kept as a tag of the service. */
export type GenerationState = 'proving' | 'proved' | 'leaving'

/** A copy as the rollout knows it: its id stays when its task is another one. */
export interface OwnCopy extends ObservedCopy {
  /** Null for what runs by itself. */
  generation: Generation | null
  /** Null while there is none. */
  task: string | null
  address: string | null
}

/** Whose rollout it is, and what was found of it. */
export interface OwnRollout {
  parts: AwsParts
  owner: Owner
  /** Of the journal: tags what the rollout makes. */
  operation: string
  /** Behind which its types of the web are. */
  balancer: WebBalancer
  app: AppPlaces
  /** By volume, id of its access point. */
  accessPoints: ReadonlyMap<string, string>
  /** By volume, when its access point was made. */
  volumesMadeMs: ReadonlyMap<string, number>
  /** By name. */
  generations: Map<string, Generation>
  /** By process id. */
  copies: Map<string, OwnCopy>
  records: Records
  /** The change of names that is under way. */
  naming: string | null
  /** Names of generations that were there when it was looked first. */
  before: Set<string>
  /** What requests were led by last. */
  plan: Plan | null
  /** For what ports are open: what served when it began, then what has come; null where nothing did. */
  live: Plan | null
  /** ARNs of the tasks that it has started. */
  started: string[]
  /** By type: made but for their services. */
  prepared: Map<string, Generation>
  /** What somebody has taken away; null before it was looked. */
  lost: Lost | null
}

export function observed(copy: OwnCopy): ObservedCopy {
  const { generation: _generation, task: _task, address: _address, ...seen } = copy
  if (seen.state === 'ended') return seen
  return { ...seen, exitCode: null, endedByItself: false }
}

/** A type of which nobody is to run keeps its place: its route, where nobody answers, and its names. */
export function keepsPlace({ plan }: OwnRollout, type: string): boolean {
  return plan?.processes.some((each) => each.type === type && each.count === 0) ?? false
}

export function copyOf(
  { copies }: OwnRollout,
  { process: processId }: Pick<ObservedCopy, 'process'>,
): OwnCopy {
  return copies.get(processId)!
}

export function copiesOf(own: OwnRollout, generation: Generation): OwnCopy[] {
  return [...own.copies.values()].filter((copy) => copy.generation === generation)
}

/** Copies by their generation; those that have none are left out. */
export function byGeneration(copies: OwnCopy[]): Map<Generation, OwnCopy[]> {
  const groups = new Map<Generation, OwnCopy[]>()
  for (const copy of copies) {
    if (!copy.generation) continue
    groups.set(copy.generation, [...(groups.get(copy.generation) ?? []), copy])
  }
  return groups
}

/** Whether a copy counts among those that ECS is to keep. */
export function isKept({ mark, state }: OwnCopy): boolean {
  return mark !== 'draining' && mark !== 'parked' && state !== 'created'
}
