import type { Control } from '../../../domain/control.ts'
import type { Owner } from '../../../domain/owner.ts'
import { pause } from '../../../lib/poll.ts'
import { isAwsError } from '../../../aws/errors.ts'
import { pages } from './found.ts'
import { logGroupName, streamName, taskIdOf } from '../names.ts'
import type { AwsParts } from '../parts.ts'

/** How many of a copy's last lines a failure carries. */
const lastLineCount = 20
/** Lines come to the account a little later than they are printed (aws.md 4.2): how often they are asked for. */
const looks = 6

export interface LoggedTask {
  owner: Owner
  type: string
  release: string
  task: string
}

/** The newest lines that a task has printed, oldest first. */
export async function lastLines(
  { clients, rack, intervals }: AwsParts,
  { owner, type, release, task }: LoggedTask,
  { signal }: Pick<Control, 'signal'>,
): Promise<string[]> {
  const stream = {
    logGroupName: logGroupName(rack, owner),
    logStreamNames: [streamName(type, release, taskIdOf(task))],
  }
  const list = async (nextToken?: string) => {
    const input = { ...stream, ...(nextToken && { nextToken }) }
    const answer = await clients.logs.filterLogEvents(input, { abortSignal: signal })
    return { items: answer.events ?? [], nextToken: answer.nextToken }
  }
  let lines: string[] = []
  for (let look = 0; look < looks; look++) {
    const before = lines.length
    try {
      const events = await Array.fromAsync(pages(list))
      lines = events.map(({ message = '' }) => message)
    } catch (error) {
      // A process that has printed nothing has no stream.
      if (!isAwsError(error, 'ResourceNotFoundException')) throw error
    }
    if (lines.length > 0 && lines.length === before) break
    await pause(intervals.tasks, signal)
  }
  return lines.slice(-lastLineCount)
}
