import type { FilteredLogEvent } from '@aws-sdk/client-cloudwatch-logs'
import { isAwsError } from '../../../aws/errors.ts'
import type { LogLine } from '../../../domain/engine.ts'
import { RackError } from '../../../domain/error.ts'
import type { Owner } from '../../../domain/owner.ts'
import { pages } from '../look/found.ts'
import { hashedProcessId, logGroupName, readOwnerWord } from '../names.ts'
import type { AwsParts } from '../parts.ts'

/** One line of a process, as CloudWatch has it. */
export interface LogEvent {
  id: string
  timeMs: number
  owner: Owner
  type: string
  release: string
  process: string
  text: string
}

/** The log of an app or a service. */
export interface LogGroup {
  owner: Owner
  name: string
  createdMs: number
}

/** Where a reader is among the lines of a log. */
export interface LogCursor {
  timeMs: number
  id: string
}

type Signalled = { signal: AbortSignal }

/** The logs of one owner, or of all: none where nothing was logged yet. */
export async function findLogGroups(
  { clients, rack }: Pick<AwsParts, 'clients' | 'rack'>,
  owner: Owner | undefined,
  { signal }: Signalled,
): Promise<LogGroup[]> {
  const all = `/rack/${rack}/`
  const prefix = owner ? logGroupName(rack, owner) : all
  const list = async (nextToken?: string) => {
    const input = { logGroupNamePrefix: prefix, ...(nextToken && { nextToken }) }
    const answer = await clients.logs.describeLogGroups(input, { abortSignal: signal })
    return { items: answer.logGroups ?? [], nextToken: answer.nextToken }
  }
  const found: LogGroup[] = []
  for await (const { logGroupName: name = '', creationTime = 0 } of pages(list)) {
    if (owner && name !== prefix) continue
    found.push({ owner: owner ?? readOwnerWord(name.slice(all.length)), name, createdMs: creationTime })
  }
  return found
}

/** So many a page: what is read is given on before more is. */
const pageEvents = 1000

/** Lines of processes in a span of time, both ends in it, a page at a time and in order of time. */
export async function* readEvents(
  { clients }: Pick<AwsParts, 'clients'>,
  { name, owner }: LogGroup,
  span: { fromMs: number; untilMs?: number; type?: string | undefined },
  { signal }: Signalled,
): AsyncGenerator<LogEvent[]> {
  let nextToken: string | undefined
  do {
    const input = {
      logGroupName: name,
      startTime: Math.max(0, Math.floor(span.fromMs)),
      limit: pageEvents,
      ...(span.untilMs !== undefined && { endTime: span.untilMs }),
      ...(span.type !== undefined && { logStreamNamePrefix: `${span.type}.` }),
      ...(nextToken && { nextToken }),
    }
    try {
      const answer = await clients.logs.filterLogEvents(input, { abortSignal: signal })
      nextToken = answer.nextToken
      yield (answer.events ?? []).flatMap((event) => toEvent(event, owner) ?? [])
    } catch (error) {
      // Its app was removed meanwhile.
      if (!isAwsError(error, 'ResourceNotFoundException')) throw error
      return
    }
  } while (nextToken)
}

/** `TYPE.RELEASE/main/TASK`; what the rack's own containers print is none of a process. */
const streamPattern = /^([a-z0-9-]+)\.([A-Za-z0-9-]*)\/main\/(.+)$/

function toEvent(event: FilteredLogEvent, owner: Owner): LogEvent | null {
  const [, type, release, task] = streamPattern.exec(event.logStreamName ?? '') ?? []
  if (type === undefined || release === undefined || task === undefined) return null
  return {
    id: event.eventId ?? '',
    timeMs: event.timestamp ?? 0,
    owner,
    type,
    release,
    process: hashedProcessId(task),
    text: event.message ?? '',
  }
}

export function toLine({ timeMs, owner, type, process: id, release, text, ...event }: LogEvent): LogLine {
  const cursor = `${timeMs}.${event.id}`
  const time = new Date(timeMs).toISOString()
  // CloudWatch has one stream for both.
  return { time, owner, type, process: id, release, stream: 'stdout', text, cursor }
}

/** @throws invalid for what no line has as its cursor */
export function parseCursor(text: string): LogCursor {
  const [, time, id] = /^(\d{1,15})\.([\w-]{1,200})$/.exec(text) ?? []
  if (time !== undefined && id !== undefined) return { timeMs: Number(time), id }
  throw new RackError('invalid', `"${text}" is no cursor of a line`)
}
