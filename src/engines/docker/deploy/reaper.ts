import type { Control } from '../../../domain/control.ts'
import { isSameOwner, ownerKey } from '../../../domain/owner.ts'
import { pause, until } from '../../../lib/poll.ts'
import { abortable, DeadlineError, withDeadline } from '../../../lib/deadline.ts'
import { createSemaphore } from '../../../lib/semaphore.ts'
import { inspectCopy, type FoundCopy } from '../containers/found-copy.ts'
import { withoutCopies, type Leading } from '../names/leading.ts'
import type { EngineParts, Reaper } from '../parts.ts'
import { waitForCallers, waitForFlows } from './inside-connections.ts'
import { drainCopies, removeCopies, stopCopies, stopsAtOnce } from './retire.ts'

/** How long after a failure it is tried again: twice as long each time. */
const shortestPauseMs = 1000
const longestPauseMs = 30_000
/** How long Docker may take to remove what it says it is removing. */
const removalMs = 60_000

interface Departure {
  /** When it is really gone; false when the engine was closed before. */
  gone: Promise<boolean>
  /** When it is gone, or a try has failed. */
  tried: Promise<unknown>
}

interface Tries {
  /** False when the engine was closed before. */
  drain: Promise<boolean>
  end: () => Promise<void>
}

export function createReaper(parts: () => EngineParts): Reaper {
  const leaving = new Map<string, Departure>()

  const goneOf = (ids: string[]) => ids.flatMap((processId) => leaving.get(processId)?.gone ?? [])

  const leave = async (copy: FoundCopy, tries: Tries): Promise<boolean> => {
    try {
      if (!(await tries.drain)) return false
      if (!(await insist(parts(), tries.end))) return false
      leaving.delete(copy.process)
      return true
    } finally {
      // Somebody who overtook it, as a deletion of the app does, has cleared this before it was set again.
      parts().leaving.delete(copy.process)
    }
  }

  const adopt = (found: FoundCopy[]): void => {
    const callersOf = mayCall(found)
    const fresh = found.filter((copy) => isDraining(copy) && !leaving.has(copy.process))
    // Those that began to leave together have the same time left, but for a moment.
    const groupOf = (copy: FoundCopy) => `${ownerKey(copy.owner)} ${Math.round(leftMs(copy) / 1000)}`
    for (const group of Map.groupBy(fresh, groupOf).values()) {
      const { lifetime } = parts()
      const control: Control = { signal: lifetime, report: () => undefined }
      const draining = watched(async () => await drainGroup(parts(), group, control))
      const drain = insist(parts(), draining.task)
      const slots = createSemaphore(stopsAtOnce)
      for (const copy of group) {
        const ending = watched(async () => {
          await within(leftMs(copy), goneOf(callersOf(copy)), control.signal)
          await lettingGo(parts(), copy, control)
          await slots.run(async () => await endCopy(parts(), copy, control), control.signal)
        })
        const gone = leave(copy, { drain, end: ending.task })
        leaving.set(copy.process, { gone, tried: Promise.race([draining.failed, ending.failed, gone]) })
      }
    }
  }

  return {
    adopt,
    async gone(processes, { signal }) {
      const areGone = await abortable(Promise.all(goneOf(processes)), signal)
      if (areGone.includes(false)) parts().lifetime.throwIfAborted()
    },
    async tried(processes, { signal }) {
      await abortable(
        Promise.all(processes.flatMap((processId) => leaving.get(processId)?.tried ?? [])),
        signal,
      )
      parts().lifetime.throwIfAborted()
    },
  }
}

function isDraining({ mark }: FoundCopy): boolean {
  return mark === 'draining'
}

/** Who leaves beside a copy of a type that is no more may still call it: process ids of those whose types go on. */
function mayCall(found: FoundCopy[]): (copy: FoundCopy) => string[] {
  const nameOf = ({ owner, type }: FoundCopy) => `${ownerKey(owner)} ${type}`
  const names = new Set(found.filter((copy) => !isDraining(copy)).map(nameOf))
  const replaced = found.filter((copy) => isDraining(copy) && names.has(nameOf(copy)))
  return (copy) => {
    const own = names.has(nameOf(copy)) ? [] : replaced.filter(({ owner }) => isSameOwner(owner, copy.owner))
    return own.map((caller) => caller.process)
  }
}

/** Waits for all of them, at most so long. */
async function within(deadlineMs: number, all: Promise<unknown>[], signal: AbortSignal): Promise<void> {
  if (all.length === 0 || deadlineMs === 0) return
  try {
    await withDeadline({ deadlineMs, what: 'callers to leave', signal }, () => Promise.all(all))
  } catch (error) {
    if (!(error instanceof DeadlineError)) throw error
  }
}

async function drainGroup(parts: EngineParts, copies: FoundCopy[], control: Control): Promise<void> {
  const [first] = copies
  if (!first) return
  const drainMs = leftMs(first)
  await drainCopies(parts, { owner: first.owner, copies, drainMs: () => drainMs }, control)
}

/** Until nobody inside the app, and no flow of datagrams from outside, is at a copy any more. */
async function lettingGo({ names }: EngineParts, copy: FoundCopy, { signal }: Control): Promise<void> {
  await waitForCallers(copy.pid, leftMs(copy), signal)
  if (names.hasPorts(copy.owner, copy.type) && copy.address !== null)
    await waitForFlows(copy.address, leftMs(copy), signal)
}

/** As it is now: it may have crashed while it drained, or somebody else has removed it. */
async function endCopy(parts: EngineParts, copy: FoundCopy, control: Control): Promise<void> {
  const { docker } = parts
  const now = await inspectCopy(docker, copy.container, control)
  const isLed = parts.names.led(copy.owner).some((led) => led.process === copy.process)
  const without = (leading: Leading) => withoutCopies(leading, [copy.process], 0, Date.now())
  if (isLed) await parts.names.lead(copy.owner, without, control)
  if (now) await stopCopies(parts, [now], control)
  await removeCopies(parts, [copy], control)
  const isGone = async () => (await inspectCopy(docker, copy.container, control)) === null
  const what = `the removal of ${copy.process}`
  await until(isGone, { deadlineMs: removalMs, intervalMs: 200, what, signal: control.signal })
}

/** The task, and when it has failed for the first time. */
function watched(task: () => Promise<void>) {
  const failed = Promise.withResolvers<void>()
  const telling = async () => {
    try {
      await task()
    } catch (error) {
      failed.resolve()
      throw error
    }
  }
  return { task: telling, failed: failed.promise }
}

/** Until it is done; false when the engine was closed before, and whoever finds the marks goes on. */
async function insist({ lifetime, onTrouble }: EngineParts, task: () => Promise<void>): Promise<boolean> {
  for (let pauseMs = shortestPauseMs; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
    try {
      await task()
      return true
    } catch (error) {
      if (lifetime.aborted) return false
      // Once: what is wrong mostly stays so for a while.
      if (pauseMs === shortestPauseMs) onTrouble(error)
    }
    if (!(await hasPaused(pauseMs, lifetime))) return false
  }
}

async function hasPaused(ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await pause(ms, signal)
    return true
  } catch (error) {
    if (signal.aborted) return false
    throw error
  }
}

function leftMs({ drainMs, drainingSinceMs }: FoundCopy): number {
  return Math.max(0, drainMs - (Date.now() - (drainingSinceMs ?? Date.now())))
}
