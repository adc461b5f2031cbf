import type { Control } from '../../../domain/control.ts'
import { copyRules } from '../../../domain/copy-identity.ts'
import { ownerKey, type Owner } from '../../../domain/owner.ts'
import type { Plan, ProcessPlan } from '../../../domain/plan.ts'
import type { CopyMark, CopyOrder, Observed, ObservedCopy, Runtime } from '../../../rollout/runtime.ts'
import { mapBounded } from '../../../lib/semaphore.ts'
import { probeServer } from '../../../lib/probe-server.ts'
import {
  createCopy,
  lookAgain,
  markCopy,
  mendCopy,
  setRestartPolicy,
  StartError,
  startCopy,
  stopCopy,
  toCopy,
  type Copy,
  type NewCopy,
} from '../containers/copies.ts'
import { findCopies, inspectCopy, type FoundCopy } from '../containers/found-copy.ts'
import { endOfCopy } from '../containers/end-of-copy.ts'
import type { EngineParts } from '../parts.ts'
import type { AppRoutes } from '../../../router/route-table.ts'
import { appRoutes, tcpPlace, withoutStrangers } from './app-routes.ts'
import { checkCopy } from './check-copy.ts'
import { createCopyNames, type CopyNames } from './copy-names.ts'
import { identityOf, observe } from './observe.ts'
import { drainCopies, removeCopies, stopCopies } from './retire.ts'
import { lastLines, startFailed } from './start-failure.ts'

/** Whose rollout it is, and what was found of it. */
interface OwnerOfRollout {
  parts: EngineParts
  owner: Owner
  /** Labels what the rollout makes. */
  operation: string
  /** By process id, as they were last seen. */
  known: Map<string, FoundCopy>
  names: CopyNames
  /** As they were found. */
  before: AppRoutes | null
  hasRoutes: boolean
  /** By type: made, and not started yet. What is left of them is found as such by the next look. */
  prepared: Map<string, Copy[]>
}

/** The copies of one app or service as containers of a Docker Engine, behind the rack's router. */
export function createDockerRuntime(parts: EngineParts, owner: Owner, operation: string): Runtime {
  const names = createCopyNames(parts, owner)
  const nothing = { known: new Map<string, FoundCopy>(), before: null, hasRoutes: false, prepared: new Map() }
  const own: OwnerOfRollout = { parts, owner, operation, names, ...nothing }
  return {
    settleMs: 2000,
    identify: identityOf,
    ...startingVerbs(own),
    ...provingVerbs(own),
    ...leavingVerbs(own),
    find: async (control) => await find(own, control),
    async route(plan, processes, control) {
      await names.move(foundOf(own, processes), control)
      const routes = routesOf(own, plan, processes)
      if (!routes && !own.hasRoutes) return
      own.hasRoutes = true
      await parts.router.apply(ownerKey(owner), routes, control)
      await parts.names.openPorts(owner, routes?.udp ?? [], control)
      // One that was on its way out, and is back.
      for (const processId of processes) parts.leaving.delete(processId)
    },
  }
}

async function find(own: OwnerOfRollout, control: Control): Promise<Observed> {
  const { docker, rack, router, reaper, names } = own.parts
  const [found, table] = await Promise.all([
    findCopies(docker, rack, { owner: own.owner }, control),
    router.routes(),
  ])
  const copies = await mapBounded(found, 8, async (copy) => await thawed(own.parts, copy, control))
  for (const copy of copies) own.known.set(copy.process, copy)
  await own.parts.names.see(own.owner, copies)
  own.names.begin(copies)
  const routes = table.find(({ app }) => app === ownerKey(own.owner)) ?? null
  own.before = routes
  own.hasRoutes = routes !== null
  reaper.adopt(copies)
  const draining = new Set(copies.filter(({ mark }) => mark === 'draining').map((copy) => copy.process))
  const led = names.led(own.owner).flatMap(({ process: id }) => (draining.has(id) ? [] : [id]))
  return {
    copies: await mapBounded(copies, 8, async (copy) => await inWords(own, copy, control)),
    routed: [...new Set([...serversOf(routes), ...led])],
  }
}

/**
 * Whoever was killed while it named a copy has left it frozen or on no network, where no probe reaches it; and whoever
 * was ended while it parked one has left it to Docker, which goes on stopping it. Copies that drain are the reaper's.
 */
async function thawed(parts: EngineParts, found: FoundCopy, control: Control): Promise<FoundCopy> {
  if (found.mark === 'draining') return found
  if (found.mark === 'parked' && found.state === 'running') {
    await stopCopy(parts, toCopy(found), control)
    return await lookAgain(parts, toCopy(found), control)
  }
  const isHalfNamed = found.state === 'paused' || (found.state === 'running' && found.address === null)
  if (!isHalfNamed) return found
  await mendCopy(parts, found, control)
  return await lookAgain(parts, toCopy(found), control)
}

function startingVerbs(own: OwnerOfRollout): Pick<Runtime, 'prepare' | 'start' | 'command' | 'revive'> {
  const { parts, known } = own
  return {
    async prepare(order, control) {
      const { type } = order.process
      const work = async () => await createCopy(parts, requestOf(own, order, 'process'), control)
      const copy = await starting(order.process, async () => await parts.starting.run(work, control.signal))
      own.prepared.set(type, [...(own.prepared.get(type) ?? []), copy])
    },
    start: async (order, control) => await look(own, await create(own, order, 'process', control), control),
    async command(order, mayStart, control) {
      const isOwn = ({ kind, type, release }: FoundCopy) =>
        kind === 'release-command' && type === order.process.type && release === order.plan.release
      const begun = [...known.values()].find(isOwn)
      if (begun) {
        // It was made, and has not run yet.
        if (begun.state === 'created') {
          await starting(order.process, async () => await startCopy(parts, toCopy(begun), control))
        }
        return await look(own, toCopy(begun), control)
      }
      if (!mayStart) return null
      return await look(own, await create(own, order, 'release-command', control), control)
    },
    async revive({ process: processId }, plan, control) {
      await mendCopy(parts, known.get(processId)!, control)
      const copy = toCopy(await lookAgain(parts, copyOf(own, processId), control))
      parts.leaving.delete(processId)
      await starting(plan, async () => await startCopy(parts, copy, control))
      return await look(own, copy, control)
    },
  }
}

function provingVerbs(
  own: OwnerOfRollout,
): Pick<Runtime, 'probe' | 'check' | 'ended' | 'lastLines' | 'name' | 'settle'> {
  const { parts } = own
  return {
    async probe({ process: processId }, target, { signal }) {
      const result = await probeServer({ address: copyOf(own, processId).address, ...target }, signal)
      if (result.isGood) own.names.noteAnswer(own.known.get(processId)!)
      return result
    },
    check: async ({ process: processId }, command, timeoutMs, control) =>
      await checkCopy(parts.docker, copyOf(own, processId), { command, timeoutMs }, control),
    ended: async ({ process: processId }, control) =>
      await endOfCopy(parts.docker, copyOf(own, processId).container, control),
    lastLines: async ({ process: processId }, control) =>
      await lastLines(parts, copyOf(own, processId), control),
    name: async ({ process: processId }, names, control) => {
      await own.names.give(own.known.get(processId)!, names, control)
    },
    settle: async (observed, plan, control) => await settle(own, observed, plan, control),
  }
}

function leavingVerbs(own: OwnerOfRollout): Pick<Runtime, 'park' | 'vacate' | 'retire' | 'remove'> {
  const { parts, owner } = own
  const markAll = async (copies: FoundCopy[], mark: CopyMark, control: Control) => {
    await mapBounded(copies, 8, async (copy) => await markLeaving(parts, toCopy(copy), mark, control))
  }
  return {
    async park(copies, gap, control) {
      const found = foundOf(own, idsOf(copies))
      await own.names.take(idsOf(copies), gap?.holdMs ?? 0, control)
      const drainMs = (copy: FoundCopy) => Math.min(copy.drainMs, gap?.longestDrainMs ?? Infinity)
      await drainCopies(parts, { owner, copies: found, drainMs, isReplaced: gap !== null }, control)
      // Marked before it is stopped: whoever finds it stopped must know by whom.
      await markAll(found, 'parked', control)
      await stopCopies(parts, found, control)
    },
    vacate: async (copies, control) => {
      await parts.reaper.gone(idsOf(copies), control)
    },
    async retire(copies, control) {
      const found = foundOf(own, idsOf(copies))
      // Traffic has moved: what cannot be marked leaves all the same, and is found again by whoever comes next.
      await mapBounded(found, 8, async (copy) => {
        try {
          await markLeaving(parts, toCopy(copy), 'draining', control)
        } catch (error) {
          parts.onTrouble(error)
        }
      })
      const drainingSinceMs = Date.now()
      const drained = found.map((copy) => ({ ...copy, mark: 'draining' as const, drainingSinceMs }))
      const others = [...own.known.values()].filter((copy) => !idsOf(copies).includes(copy.process))
      parts.reaper.adopt([...drained, ...others])
    },
    remove: async (copies, control) => {
      await own.names.take(idsOf(copies), 0, control)
      await removeCopies(parts, foundOf(own, idsOf(copies)), control)
    },
  }
}

/**
 * Docker renames no container that it is about to start again: one that crashes as it leaves is stopped for it. One that
 * somebody has removed has left already.
 */
async function markLeaving(parts: EngineParts, copy: Copy, mark: CopyMark, control: Control): Promise<void> {
  try {
    await markCopy(parts, copy, mark, control)
  } catch (error) {
    control.signal.throwIfAborted()
    const now = await inspectCopy(parts.docker, copy.container, control)
    if (!now) return
    parts.onTrouble(error)
    await stopCopy(parts, copy, control)
    await markCopy(parts, copy, mark, control)
  }
}

/** Who restarts it first, then its mark: a copy that is marked as proved has all that makes it so. */
async function settle(
  own: OwnerOfRollout,
  observed: ObservedCopy,
  { restart }: ProcessPlan,
  control: Control,
): Promise<ObservedCopy> {
  const { parts } = own
  const copy = copyOf(own, observed.process)
  if (observed.state !== 'ended') await setRestartPolicy(parts, copy, restart, control)
  const now = await look(own, copy, control)
  const isGoodEnd = now.exitCode === 0 && now.endedByItself && restart !== 'always'
  const isOver = now.state === 'ended' && (observed.state === 'ended' || isGoodEnd)
  if (now.state === 'ended' && !isOver) return now
  const mark = isOver ? 'completed' : 'proved'
  await markCopy(parts, copy, mark, control)
  return { ...now, mark }
}

async function look(own: OwnerOfRollout, copy: Copy, control: Control): Promise<ObservedCopy> {
  const found = await lookAgain(own.parts, copy, control)
  own.known.set(found.process, found)
  return await inWords(own, found, control)
}

async function inWords(own: OwnerOfRollout, found: FoundCopy, control: Control): Promise<ObservedCopy> {
  return await observe(own.parts.docker, found, own.names.namesOf(found), control)
}

function idsOf(copies: ObservedCopy[]): string[] {
  return copies.map((copy) => copy.process)
}

function foundOf({ known }: OwnerOfRollout, processes: string[]): FoundCopy[] {
  return processes.flatMap((processId) => known.get(processId) ?? [])
}

function copyOf({ known }: OwnerOfRollout, processId: string): Copy {
  return toCopy(known.get(processId)!)
}

function requestOf(
  { owner, operation, names: rollout }: OwnerOfRollout,
  { plan, process: processPlan, identity, names }: CopyOrder,
  kind: 'process' | 'release-command',
): NewCopy {
  const command = kind === 'process' ? {} : { command: processPlan.releaseCommand ?? [] }
  return {
    owner,
    release: plan.release,
    kind,
    operation,
    plan: processPlan,
    identity,
    names: kind === 'process' && names.length === 0 ? rollout.atStart(processPlan) : names,
    ...command,
  }
}

async function create(
  own: OwnerOfRollout,
  order: CopyOrder,
  kind: 'process' | 'release-command',
  control: Control,
): Promise<Copy> {
  const { parts, prepared, names } = own
  const { signal } = control
  const work = async () => {
    await names.awaitFirst(order.plan.processes, control)
    const made = kind === 'process' ? prepared.get(order.process.type)?.shift() : undefined
    const copy = made ?? (await createCopy(parts, requestOf(own, order, kind), { signal }))
    if (kind === 'process') await names.meetNew(copy, order.process.restartsWith, control)
    await startCopy(parts, copy, { signal })
    return copy
  }
  return await starting(order.process, async () => await parts.starting.run(work, signal))
}

function routesOf(
  { parts, known, before }: OwnerOfRollout,
  plan: Plan,
  processes: string[],
): AppRoutes | null {
  const rules = copyRules(plan)
  const isOld = ({ type, identity }: FoundCopy) => identity !== identityOf(rules.get(type)?.identity ?? '')
  const old = processes.filter((processId) => known.has(processId) && isOld(known.get(processId)!))
  const copies = processes.flatMap((processId) => {
    const { type = '', release = '', address = null } = known.get(processId) ?? {}
    return address === null ? [] : [{ type, process: processId, release, address }]
  })
  return withoutStrangers(appRoutes(plan, copies, tcpPlace(parts)), before, new Set(old))
}

async function starting<T>(processPlan: ProcessPlan, task: () => Promise<T>): Promise<T> {
  try {
    return await task()
  } catch (error) {
    throw error instanceof StartError ? startFailed(processPlan, error) : error
  }
}

function serversOf(routes: AppRoutes | null): string[] {
  const all = [...(routes?.http ?? []), ...(routes?.tcp ?? []), ...(routes?.shares ?? [])]
  return [...new Set(all.flatMap(({ backend }) => backend.servers.map((server) => server.process)))]
}
