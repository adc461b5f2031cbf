import * as sdk from '@aws-sdk/client-cloudwatch-logs'
import { AwsError, type FakeAccount, type FakeService } from '../fake-service.ts'
import type { LogLines } from '../links.ts'
import { assertModelled } from '../modelled.ts'
import { paged } from '../paging.ts'

interface Event {
  id: string
  timeMs: number
  text: string
  arrivedMs: number
  /** Of the account's time; before it no search finds it. */
  visibleMs: number
}

interface Stream {
  name: string
  createdMs: number
  events: Event[]
}

interface Group {
  name: string
  createdMs: number
  retention?: number
  streams: Map<string, Stream>
}

const invalid = (message: string) => new AwsError('InvalidParameterException', message)
const noGroup = () => new AwsError('ResourceNotFoundException', 'The specified log group does not exist.')

/** J: lines are found up to five seconds after they were written. */
const longestLagMs = 5000
/** Fewer than AWS gives (10,000), so that pages are met (D: a page may hold less than `limit`, and may be empty). */
const mostEvents = 50
/** D: DescribeLogStreams, at most 50 a page. */
const mostStreams = 50

export interface LogGroups {
  /** What a stack makes. @throws AwsError where it is there */
  create(name: string, retention?: number): void
  setRetention(name: string, retention: number | undefined): void
  delete(name: string): void
  arn(name: string): string
}

class Logs implements LogLines, LogGroups {
  readonly #account: FakeAccount
  readonly #groups = new Map<string, Group>()
  #lastId = 0

  constructor(account: FakeAccount) {
    this.#account = account
  }

  arn(name: string): string {
    return `arn:aws:logs:${this.#account.region}:${this.#account.account}:log-group:${name}:*`
  }

  create(name: string, retention?: number): void {
    if (!/^[\w./#-]{1,512}$/.test(name))
      throw invalid("the log group's name has characters that it cannot have")
    if (this.#groups.has(name))
      throw new AwsError('ResourceAlreadyExistsException', 'The specified log group already exists')
    const group: Group = { name, createdMs: this.#account.clock.now(), streams: new Map() }
    this.#groups.set(name, group)
    this.setRetention(name, retention)
  }

  setRetention(name: string, retention: number | undefined): void {
    const group = this.group(name)
    if (retention === undefined) delete group.retention
    else group.retention = retention
  }

  delete(name: string): void {
    if (!this.#groups.delete(name)) throw noGroup()
  }

  group(name: string | undefined): Group {
    const group = this.#groups.get(name ?? '')
    if (!group) throw noGroup()
    return group
  }

  assertGroup(name: string): void {
    this.group(name)
  }

  /** The log driver makes its streams itself; what it cannot deliver is dropped (D: `awslogs`, non-blocking). */
  append(name: string, streamName: string, lines: { timeMs: number; text: string }[]): void {
    const streams = this.#groups.get(name)?.streams
    if (!streams) return
    const now = this.#account.clock.now()
    const stream = streams.get(streamName) ?? { name: streamName, createdMs: now, events: [] }
    streams.set(streamName, stream)
    const before = stream.events.at(-1)?.visibleMs ?? 0
    // Lines of a stream never overtake each other; those of different streams do.
    const visibleMs = Math.max(before, now + ((this.#lastId * 7919) % longestLagMs))
    for (const { timeMs, text } of lines) {
      this.#lastId += 1
      stream.events.push({
        id: String(this.#lastId).padStart(56, '0'),
        timeMs,
        text,
        arrivedMs: now,
        visibleMs,
      })
    }
  }

  search(input: sdk.FilterLogEventsRequest): sdk.FilterLogEventsResponse {
    const known = [
      'logGroupName',
      'logStreamNames',
      'logStreamNamePrefix',
      'startTime',
      'endTime',
      'limit',
      'nextToken',
      'interleaved',
    ]
    assertModelled(input, known, 'FilterLogEvents')
    const {
      logStreamNames: names,
      logStreamNamePrefix: prefix,
      startTime = 0,
      endTime = Infinity,
      limit = 10_000,
    } = input
    if (names && prefix !== undefined)
      throw invalid('logStreamNames and logStreamNamePrefix cannot be given together')
    if (names && (names.length === 0 || names.length > 100))
      throw invalid('between 1 and 100 log streams can be named')
    if (limit < 1 || limit > 10_000) throw invalid('limit must be between 1 and 10000')
    const { streams } = this.group(input.logGroupName)
    if (names && !names.every((name) => streams.has(name))) {
      throw new AwsError('ResourceNotFoundException', 'The specified log stream does not exist.')
    }
    const now = this.#account.clock.now()
    const chosen = [...streams.values()].filter(({ name }) =>
      names ? names.includes(name) : name.startsWith(prefix ?? ''),
    )
    const found = chosen.flatMap(({ name, events }) =>
      events
        .filter(({ timeMs, visibleMs }) => visibleMs <= now && timeMs >= startTime && timeMs <= endTime)
        .map((event) => ({ ...event, stream: name })),
    )
    // The first page of a search over several streams is empty here: AWS gives such pages at will (D: FilterLogEvents).
    if (input.nextToken === undefined && chosen.length > 1) return { events: [], nextToken: first }
    const key = ({ timeMs, id }: { timeMs: number; id: string }) =>
      `${String(Math.floor(timeMs)).padStart(16, '0')}.${id}`
    const token = input.nextToken === first ? undefined : input.nextToken
    const { page, next } = paged(found, token, { pageSize: Math.min(limit, mostEvents), key })
    const events = page.map(({ id, stream, timeMs, arrivedMs, text }) => ({
      eventId: id,
      logStreamName: stream,
      timestamp: Math.floor(timeMs),
      ingestionTime: Math.floor(arrivedMs),
      message: text,
    }))
    return { events, ...(next && { nextToken: next }) }
  }

  streams(input: sdk.DescribeLogStreamsRequest): sdk.DescribeLogStreamsResponse {
    const known = ['logGroupName', 'logStreamNamePrefix', 'orderBy', 'descending', 'nextToken', 'limit']
    assertModelled(input, known, 'DescribeLogStreams')
    const byTime = input.orderBy === 'LastEventTime'
    // D: DescribeLogStreams.
    if (byTime && input.logStreamNamePrefix !== undefined)
      throw invalid('Cannot order by LastEventTime with a logStreamNamePrefix.')
    const { streams, name } = this.group(input.logGroupName)
    const found = [...streams.values()].filter((stream) =>
      stream.name.startsWith(input.logStreamNamePrefix ?? ''),
    )
    const sign = input.descending ? -1 : 1
    const rank = new Map(
      found
        .toSorted((a, b) => sign * (byTime ? lastOf(a) - lastOf(b) : a.name < b.name ? -1 : 1))
        .map((stream, at) => [stream, String(at).padStart(9, '0')]),
    )
    const pageSize = Math.min(input.limit ?? mostStreams, mostStreams)
    const { page, next } = paged(found, input.nextToken, { pageSize, key: (stream) => rank.get(stream)! })
    return {
      logStreams: page.map((stream) => describedStream(stream, `${this.arn(name).slice(0, -1)}log-stream:`)),
      ...(next && { nextToken: next }),
    }
  }

  groups(input: sdk.DescribeLogGroupsRequest): sdk.DescribeLogGroupsResponse {
    assertModelled(input, ['logGroupNamePrefix', 'nextToken', 'limit'], 'DescribeLogGroups')
    const found = [...this.#groups.values()].filter(({ name }) =>
      name.startsWith(input.logGroupNamePrefix ?? ''),
    )
    const { page, next } = paged(found, input.nextToken, {
      pageSize: Math.min(input.limit ?? 50, 50),
      key: ({ name }) => name,
    })
    const logGroups = page.map(({ name, createdMs, retention }) => ({
      logGroupName: name,
      creationTime: Math.floor(createdMs),
      retentionInDays: retention,
      arn: this.arn(name),
    }))
    return { logGroups, ...(next && { nextToken: next }) }
  }
}

const first = 'after-an-empty-page'
const lastOf = ({ events }: Stream) => events.at(-1)?.timeMs ?? 0

function describedStream({ name, createdMs, events }: Stream, prefix: string): sdk.LogStream {
  return {
    logStreamName: name,
    arn: `${prefix}${name}`,
    creationTime: Math.floor(createdMs),
    ...(events.length > 0 && {
      firstEventTimestamp: Math.floor(events[0]!.timeMs),
      lastEventTimestamp: Math.floor(events.at(-1)!.timeMs),
      lastIngestionTime: Math.floor(events.at(-1)!.arrivedMs),
    }),
  }
}

const retentions = new Set([
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
])

export function createLogs(account: FakeAccount): {
  service: FakeService
  lines: LogLines
  groups: LogGroups
} {
  const logs = new Logs(account)
  const actions: FakeService['actions'] = {
    CreateLogGroup: async (input: sdk.CreateLogGroupRequest) => {
      assertModelled(input, ['logGroupName', 'tags'], 'CreateLogGroup')
      logs.create(input.logGroupName!)
      return {}
    },
    DeleteLogGroup: async (input: sdk.DeleteLogGroupRequest) => {
      logs.delete(input.logGroupName!)
      return {}
    },
    PutRetentionPolicy: async ({ logGroupName, retentionInDays }: sdk.PutRetentionPolicyRequest) => {
      // S: the types of the SDK name those that it may be.
      if (!retentions.has(retentionInDays!)) throw invalid('The retention is none that there is')
      logs.setRetention(logGroupName!, retentionInDays)
      return {}
    },
    DescribeLogGroups: async (input: sdk.DescribeLogGroupsRequest) => logs.groups(input),
    DescribeLogStreams: async (input: sdk.DescribeLogStreamsRequest) => logs.streams(input),
    FilterLogEvents: async (input: sdk.FilterLogEventsRequest) => logs.search(input),
  }
  return { service: { scope: 'logs', sdk, actions }, lines: logs, groups: logs }
}
