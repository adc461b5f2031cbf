import type { Control } from '../../domain/control.ts'
import type { Owner } from '../../domain/owner.ts'
import type { LogBudget } from '../../domain/parameter.ts'
import type { Process } from '../../domain/process.ts'
import type { Resources } from '../../domain/rack.ts'
import type { Semaphore } from '../../lib/semaphore.ts'
import type { OutsideAddress } from './about.ts'
import type { AddressPool, Addresses } from './addresses.ts'
import type { DockerClient } from './client.ts'
import type { ContainerLimits } from './containers/spec/container-spec.ts'
import type { Measurements } from './deploy/measurements.ts'
import type { LastExits } from './containers/last-exits.ts'
import type { FoundCopy } from './containers/found-copy.ts'
import type { LogKeeper } from './logs/log-keeper.ts'
import type { NameKeeper } from './names/name-keeper.ts'
import type { NameTable } from './names/name-table.ts'
import type { WayRange } from './way-range.ts'
import type { Router } from '../../router/router.ts'

/** What a rack gives its engine. */
export interface DockerEngineOptions {
  docker: DockerClient
  router: Router
  addresses: Addresses
  /** The rack's name: the first part of every name, and a label. */
  rack: string
  /** The engine's own; logs lie in it. */
  directory: string
  /** What the rack may give to processes. */
  total: Resources
  pool: AddressPool
  /** Of this machine; without one the names are Docker's own. */
  nameTable?: NameTable
  /** Of this machine; without one nobody is led to services of another rack. */
  wayRange?: WayRange
  outside: OutsideAddress
  randomBytes: (count: number) => Uint8Array
  limits?: ContainerLimits
  /** Where external tcp ports listen; `0.0.0.0` when absent. */
  tcpBind?: string
  /** How much log is kept of one process type, asked now and then; 20 MiB of any age when absent. */
  logBudget?: () => LogBudget
  /** Builds that run at once; 2 when absent. */
  maxBuilds?: number
  /** Keeps what became of a one-off and of its operation; durable when it settles, before which its container stays. */
  onEnded?: (running: Process, operation: string) => Promise<void>
  /** Hears of failures in the background, which end no call. */
  onTrouble?: (error: unknown) => void
}

/** What the engine's rooms share. */
export interface EngineParts extends Omit<
  Required<DockerEngineOptions>,
  'logBudget' | 'maxBuilds' | 'nameTable' | 'wayRange'
> {
  wayRange: WayRange | undefined
  logs: LogKeeper
  names: NameKeeper
  reaper: Reaper
  health: HealthKeeper
  exits: LastExits
  measurements: Measurements
  /** Creates and starts at once: more make each other slow. */
  starting: Semaphore
  /** Services join networks one at a time: of two connections of a container to one network Docker refuses the second. */
  joining: Semaphore
  /** What a copy is about to do, which no container can tell. */
  leaving: Map<string, 'draining' | 'stopping'>
  /** Process ids whose container may not be there yet: a sweep leaves them alone. */
  inFlight: Set<string>
  /** Containers of one-offs whose end somebody waits for. */
  adopted: Set<string>
  /** Ends the watch over ends and checks, which begins anew whenever Docker has come back. */
  marking: AbortController
  /** The same for the watch over copies that names lead to. */
  watching: AbortController
  /** Ends when the engine is closed. */
  lifetime: AbortSignal
}

/**
 * Takes copies that drain to their end, behind everybody's back: their connections end or are cut, they are stopped
 * and removed. What a dead daemon left half way is marked, and goes on when it is found.
 */
export interface Reaper {
  /**
   * Those among what was found of an app that are marked as draining; who leaves already goes on leaving. Of a type that
   * nothing else was found of they leave after the others: these may still call them.
   */
  adopt(found: FoundCopy[]): void
  /** Settles when these copies are gone. */
  gone(processes: string[], control: Pick<Control, 'signal'>): Promise<void>
  /** Settles when these copies are gone, or it was tried in vain: what is left of them is removed later. */
  tried(processes: string[], control: Pick<Control, 'signal'>): Promise<void>
}

/**
 * One health of a copy out of two: Docker runs the check of its file inside, the router asks it as visitors do. Who is
 * unhealthy by either is told to be so, and gets no new request while another copy can take it.
 */
export interface HealthKeeper {
  /** Whether the router finds a copy down. */
  isDown(processId: string): boolean
  /** Looks at the checks until the signal ends. */
  keep(control: Pick<Control, 'signal'>): Promise<void>
  /** Names the owner of whose copies the router finds others down than before. */
  changes(control: Pick<Control, 'signal'>): AsyncIterable<Owner>
}
