import type { Client, Reply } from '../client/client-types.ts'
import { RackError } from '../domain/error.ts'
import { until } from '../lib/poll.ts'

type Line = Reply<'appLogs'>
type Query = Parameters<Client['appLogs']>[0]['query']

export interface FollowLogsOptions {
  signal: AbortSignal
  /** Hears that the rack went away and is waited for. */
  onLost: () => void
  /** How long it is waited for; a minute when absent. */
  patienceMs?: number
}

/** Lines of two processes may arrive in another order than they were written in. */
const overlapMs = 5000
const askEveryMs = 500

/**
 * The log lines of an app until the signal ends. A rack that goes away is waited for, and no line is said twice.
 * @throws unreachable when it is not there at first, or stays away
 */
export async function* followLogs(
  client: Client,
  app: string,
  query: Query,
  options: FollowLogsOptions,
): AsyncGenerator<Line> {
  const { signal } = options
  await client.health(undefined, { signal })
  /** The time of the newest line of each process. */
  const newest = new Map<string, string>()
  /** Lines before the first ones were not asked for. */
  let oldest: string | null = null
  for (;;) {
    const said = new Map(newest)
    const from = oldest
    try {
      const lines = client.appLogs({ params: { app }, query: resumed(query, newest) }, { signal })
      for await (const line of lines) {
        const time = sortable(line.time)
        if (time <= (said.get(line.id) ?? '') || (from !== null && time < from)) continue
        if (oldest === null || time < oldest) oldest = time
        newest.set(line.id, time)
        yield line
      }
      return
    } catch (error) {
      if (!isUnreachable(error) || signal.aborted) throw error
      options.onLost()
      await waitForRack(client, options, error)
    }
  }
}

function resumed(query: Query, newest: Map<string, string>): Query {
  const last = [...newest.values()].sort().at(-1)
  if (last === undefined) return query
  return {
    ...query,
    since: new Date(Date.parse(`${last.slice(0, 23)}Z`) - overlapMs).toISOString(),
    tail: undefined,
  }
}

async function waitForRack(
  client: Client,
  { signal, patienceMs = 60_000 }: FollowLogsOptions,
  lost: RackError,
): Promise<void> {
  const isThere = async (signal: AbortSignal) => {
    try {
      return (await client.health(undefined, { signal })).status === 'ready'
    } catch (error) {
      if (isUnreachable(error)) return false
      throw error
    }
  }
  try {
    await until(isThere, { deadlineMs: patienceMs, intervalMs: askEveryMs, what: 'the rack', signal })
  } catch (error) {
    throw error instanceof Error && error.name === 'DeadlineError' ? lost : error
  }
}

function isUnreachable(error: unknown): error is RackError {
  return error instanceof RackError && error.code === 'unreachable'
}

/** Times with different numbers of fractional digits, made to compare as text. */
function sortable(time: string): string {
  const [seconds = '', digits = ''] = time.replace(/Z$/, '').split('.')
  return `${seconds}.${digits.padEnd(9, '0')}`
}
