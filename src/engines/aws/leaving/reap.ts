import { until } from '../../../lib/poll.ts'
import { allTasks } from '../look/service-tasks.ts'
import { changeRecordsOf, findRecords, recordChanges, type Records } from '../inside/records.ts'
import { membersName } from '../names.ts'
import type { AwsParts } from '../parts.ts'
import type { Generation } from '../deploy/own.ts'
import { removeGeneration } from './remove-parts.ts'
import { setDesired } from '../deploy/set-desired.ts'
import { untilAnswered } from '../until-answered.ts'
import { unprotectAll } from './protect-tasks.ts'

/** Longer than any drain and any stop that ECS has. */
const reapDeadlineMs = 2 * 3600_000

/**
 * Takes a generation to its end behind everybody's back: its copies leave, then what it stood on goes.
 * @param callers generations that leave too, and whose copies may still call it: it leaves after them
 */
export function reapGeneration(parts: AwsParts, generation: Generation, callers: Generation[] = []): void {
  if (parts.leavingServices.has(generation.name)) return
  parts.leavingServices.add(generation.name)
  parts.behind(async (signal) => {
    try {
      await untilAnswered(parts, async () => await reap(parts, generation, callers, signal), signal)
    } finally {
      parts.leavingServices.delete(generation.name)
    }
  })
}

/** Safe to repeat. */
async function reap(
  parts: AwsParts,
  generation: Generation,
  callers: Generation[],
  signal: AbortSignal,
): Promise<void> {
  await unprotectAll(parts, generation.name, { signal })
  for (const caller of callers) await awaitGone(parts, caller, signal)
  if (generation.desired > 0) await setDesired({ parts }, generation, 0, { signal })
  await awaitGone(parts, generation, signal)
  await forgetNames(parts, generation, signal)
  await removeGeneration(parts, generation, { signal })
}

/** Names that nobody else has taken lead nowhere any more. */
async function forgetNames(parts: AwsParts, generation: Generation, signal: AbortSignal): Promise<void> {
  const { owner } = generation
  const records = await findRecords(parts, owner, { signal })
  const target = membersName(parts.rack, generation)
  const ownNames = (now: Records) => [...now].filter(([, each]) => each === target).map(([name]) => name)
  await changeRecordsOf(parts, { owner, records }, (now) => recordChanges(now, new Map(), ownNames(now)), {
    signal,
  })
}

/** Settles when every task of it has stopped: what drains has left the counts of the service before. */
async function awaitGone(
  parts: AwsParts,
  { name }: Pick<Generation, 'name'>,
  signal: AbortSignal,
): Promise<void> {
  const isGone = async () => {
    const tasks = await allTasks(parts, { serviceName: name }, { signal })
    return tasks.every(({ task }) => task.lastStatus === 'STOPPED')
  }
  const what = `${name} to leave`
  await until(isGone, { intervalMs: parts.intervals.tasks, deadlineMs: reapDeadlineMs, what, signal })
}
