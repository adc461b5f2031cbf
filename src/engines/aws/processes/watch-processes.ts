import { ownerKey, readOwnerKey, type Owner } from '../../../domain/owner.ts'
import { abortable } from '../../../lib/deadline.ts'
import { pause } from '../../../lib/poll.ts'
import { findGenerations, findTasks } from '../look/found.ts'
import type { AwsParts } from '../parts.ts'

/** ECS tells of nothing by itself: all tasks are looked at again and again, in two calls where there are few. */
const looksApart = 2
/** Services change by the rack's own doing, which it knows of, or by somebody's hand: they are looked at every so manieth time. */
const tasksOfService = 5

type Signalled = { signal: AbortSignal }

/** The owners of tasks to which something has happened since the last look; null at first. */
export type ProcessWatch = (control: Signalled) => AsyncGenerator<Owner | null>

/** One look for all who watch, for as long as there are any. */
export function createProcessWatch(parts: AwsParts): ProcessWatch {
  const take = async (at: number, before: Look | null, control: Signalled): Promise<Look> => {
    const [tasks, services] = await Promise.all([
      lookAtTasks(parts, control),
      before !== null && at % tasksOfService !== 0 ? before.services : lookAtServices(parts, control),
    ])
    return { tasks, services }
  }
  return createSharedWatch(take, parts.intervals.tasks * looksApart)
}

/** By owner, what can be told of its tasks and of its services, each as a text. */
export interface Look {
  tasks: ReadonlyMap<string, string>
  services: ReadonlyMap<string, string>
}

/** Somebody who watches, and what they have not heard yet. */
interface Listener {
  /** Keys of owners; null is any of them. */
  news: Set<string | null>
  wake: PromiseWithResolvers<void>
  /** Of the last look: heard once the news is. */
  failure: { error: unknown } | null
}

type TakeLook = (at: number, before: Look | null, control: Signalled) => Promise<Look>

/**
 * @param take a look, the n-th since somebody began to watch, and the one before it
 * @param restMs between two
 */
export function createSharedWatch(take: TakeLook, restMs: number): ProcessWatch {
  const listeners = new Set<Listener>()
  let ending = new AbortController()
  return async function* ({ signal }) {
    const listener: Listener = { news: new Set(), wake: Promise.withResolvers(), failure: null }
    const isFirst = listeners.size === 0
    listeners.add(listener)
    if (isFirst) {
      ending = new AbortController()
      void lookOn(take, { restMs, listeners }, ending)
    } else {
      // What happens from now on is told, and how it is now may be read.
      tell([listener], [null])
    }
    try {
      for (;;) {
        if (!listener.failure) await abortable(listener.wake.promise, signal)
        if (listener.failure && listener.news.size === 0) throw listener.failure.error
        const news = [...listener.news]
        listener.news.clear()
        listener.wake = Promise.withResolvers()
        for (const key of news) yield key === null ? null : readOwnerKey(key)
      }
    } finally {
      listeners.delete(listener)
      if (listeners.size === 0) ending.abort()
    }
  }
}

/** Tells all what changes, until nobody watches; a look that fails is heard by those who do, and is the last. */
async function lookOn(
  take: TakeLook,
  { restMs, listeners }: { restMs: number; listeners: Set<Listener> },
  control: Signalled,
): Promise<void> {
  try {
    let before: Look | null = null
    for (let at = 0; ; at++) {
      const now = await take(at, before, control)
      tell(listeners, before === null ? [null] : changedKeys(before, now))
      before = now
      await pause(restMs, control.signal)
    }
  } catch (error) {
    if (control.signal.aborted) return
    for (const listener of listeners) {
      listener.failure = { error }
      listener.wake.resolve()
    }
    listeners.clear()
  }
}

function tell(listeners: Iterable<Listener>, keys: Iterable<string | null>): void {
  const all = [...keys]
  if (all.length === 0) return
  for (const { news, wake } of listeners) {
    for (const key of all) news.add(key)
    wake.resolve()
  }
}

async function lookAtTasks(parts: AwsParts, control: Signalled): Promise<Look['tasks']> {
  const tasks = await findTasks(parts, {}, control)
  return textsOf(
    tasks.map(({ owner, arn, task, address }) => ({
      owner,
      line: [arn, task.lastStatus, task.desiredStatus, task.healthStatus, address].join(' '),
    })),
  )
}

async function lookAtServices(parts: AwsParts, control: Signalled): Promise<Look['services']> {
  const generations = await findGenerations(parts, {}, control)
  return textsOf(
    generations.map(({ owner, name, service, tags }) => ({
      owner,
      line: [name, service.status, service.desiredCount, tags.state].join(' '),
    })),
  )
}

function textsOf(lines: { owner: Owner; line: string }[]): ReadonlyMap<string, string> {
  const groups = Map.groupBy(lines, ({ owner }) => ownerKey(owner))
  const texts = Array.from(groups, ([key, each]) => {
    const sorted = each.map(({ line }) => line).toSorted()
    return [key, sorted.join('\n')] as const
  })
  return new Map(texts)
}

function changedKeys(before: Look, now: Look): Set<string> {
  const keys = [before, now].flatMap(({ tasks, services }) => [...tasks.keys(), ...services.keys()])
  const isOther = (key: string) =>
    before.tasks.get(key) !== now.tasks.get(key) || before.services.get(key) !== now.services.get(key)
  return new Set(keys.filter(isOther))
}
