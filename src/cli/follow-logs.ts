import type { Client, Reply } from '../client/client-types.ts'
import { RackError } from '../domain/error.ts'
import { until } from '../lib/poll.ts'

type Line = Reply<'appLogs'>

export interface FollowLogsOptions {
  signal: AbortSignal
  /** Hears that the rack went away and is waited for. */
  onLost: () => void
  /** How long it is waited for; a minute when absent. */
  patienceMs?: number
}

/** Asks for the lines behind a cursor; for the first ones when there is none yet. */
export type AskForLines = (after: string | undefined) => AsyncIterable<Line>

const askEveryMs = 500

/**
 * Log lines until the signal ends. A rack that goes away is waited for, and asked for what comes behind the last line:
 * none is said twice or left out.
 * @throws unreachable when it is not there at first, or stays away
 */
export async function* followLogs(
  client: Pick<Client, 'health'>,
  ask: AskForLines,
  options: FollowLogsOptions,
): AsyncGenerator<Line> {
  const { signal } = options
  await client.health(undefined, { signal })
  let last: string | undefined
  for (;;) {
    try {
      for await (const line of ask(last)) {
        last = line.cursor
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

async function waitForRack(
  client: Pick<Client, 'health'>,
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
