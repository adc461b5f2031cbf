import type { ExitCode } from '../../../domain/process.ts'
import { pause } from '../../../lib/poll.ts'
import { removeDefinition } from '../leaving/remove-parts.ts'
import { describeTasks } from '../look/found.ts'
import { endOfTask, type TaskEnd } from '../look/task-end.ts'
import type { GenerationName } from '../names.ts'
import type { AwsParts } from '../parts.ts'
import { untilAnswered } from '../until-answered.ts'
import { describeProcess } from './describe-process.ts'
import { stopTask } from './start-one-off.ts'

/** A one-off whose end is waited for. */
export interface LeavingOneOff {
  arn: string
  /** What it was made from, to go when its end is kept; null where that is somebody else's. */
  generation: GenerationName | null
  operation: string
  /** As it was asked for; null where nobody knows it any more. */
  command: string[] | null
  /** What is left of its time; null without limit. */
  timeoutMs: number | null
  /** Settles when all that it printed was given to whoever is joined to it. */
  given: Promise<unknown> | null
}

/**
 * The exit code of a one-off, once it has ended, or was ended since its time was up, and its log can be read. That nobody
 * waits for it ends nothing.
 */
export function endOfOneOff(parts: AwsParts, leaving: LeavingOneOff): Promise<ExitCode> {
  parts.adopted.add(leaving.arn)
  const exit = finish(parts, leaving).finally(() => parts.adopted.delete(leaving.arn))
  exit.catch((error: unknown) => {
    if (!parts.lifetime.aborted) parts.onTrouble(error)
  })
  return exit
}

async function finish(parts: AwsParts, leaving: LeavingOneOff): Promise<ExitCode> {
  const { arn, generation, operation, command, timeoutMs, given } = leaving
  const lifetime = { signal: parts.lifetime }
  using _timer = endAfter(timeoutMs, () =>
    parts.behind(async (signal) => await stopTask(parts, arn, 'it has run too long', signal)),
  )
  const { code } = await untilAnswered(
    parts,
    async () => await parts.tasks.until(arn, (task) => (task ? endOfTask(task) : gone), parts.lifetime),
    parts.lifetime,
  )
  await given
  // Its last lines come to its log a little later.
  await pause(parts.intervals.logs, parts.lifetime)
  const [last] = await untilAnswered(
    parts,
    async () => await describeTasks(parts, [arn], lifetime),
    parts.lifetime,
  )
  if (last) {
    const known = { last, before: [], generation: null, definition: null, isVacant: false }
    const ended = describeProcess(known)
    await parts.onEnded({ ...ended, command: command ?? ended.command }, operation)
  }
  if (generation) {
    await untilAnswered(
      parts,
      async () => await removeDefinition(parts, generation, lifetime),
      parts.lifetime,
    )
  }
  return code
}

/** ECS forgets a task within the hour of its end. */
const gone: Pick<TaskEnd, 'code'> = { code: 1 }

function endAfter(ms: number | null, task: () => void): Disposable {
  const timer = ms === null ? null : setTimeout(task, ms)
  return { [Symbol.dispose]: () => void (timer && clearTimeout(timer)) }
}
