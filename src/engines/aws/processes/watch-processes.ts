import { ownerKey, readOwnerKey, type Owner } from '../../../domain/owner.ts'
import { pause } from '../../../lib/poll.ts'
import { findGenerations, findTasks } from '../look/found.ts'
import type { AwsParts } from '../parts.ts'

/** ECS tells of nothing by itself: all tasks are looked at again and again, in two calls where there are few. */
const looksApart = 2

/** The owners of tasks to which something has happened since the last look; null at first. */
export async function* watchProcesses(
  parts: AwsParts,
  control: { signal: AbortSignal },
): AsyncGenerator<Owner | null> {
  try {
    let before = await look(parts, control)
    yield null
    for (;;) {
      await pause(parts.intervals.tasks * looksApart, control.signal)
      const now = await look(parts, control)
      for (const owner of changedOwners(before, now)) yield owner
      before = now
    }
  } catch (error) {
    // A call that is broken off says less of why than the signal.
    control.signal.throwIfAborted()
    throw error
  }
}

/** By owner, all that can be told of its processes, as a text. */
type Look = ReadonlyMap<string, string>

async function look(parts: AwsParts, control: { signal: AbortSignal }): Promise<Look> {
  const [tasks, generations] = await Promise.all([
    findTasks(parts, {}, control),
    findGenerations(parts, {}, control),
  ])
  const lines = [
    ...tasks.map(({ owner, arn, task, address }) => ({
      key: ownerKey(owner),
      line: [arn, task.lastStatus, task.desiredStatus, task.healthStatus, address].join(' '),
    })),
    ...generations.map(({ owner, name, service, tags }) => ({
      key: ownerKey(owner),
      line: [name, service.status, service.desiredCount, tags.state].join(' '),
    })),
  ]
  const groups = Map.groupBy(lines, ({ key }) => key)
  return new Map(
    Array.from(groups, ([key, each]) => [
      key,
      each
        .map(({ line }) => line)
        .toSorted()
        .join('\n'),
    ]),
  )
}

function changedOwners(before: Look, now: Look): Owner[] {
  const keys = new Set([...before.keys(), ...now.keys()])
  return [...keys].filter((key) => before.get(key) !== now.get(key)).map(readOwnerKey)
}
