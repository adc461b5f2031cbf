import { setTimeout as delay } from 'node:timers/promises'
import type { Client, Reply } from '../client/client-types.ts'
import { RackError } from '../domain/error.ts'
import type { Session } from './session.ts'

type Entry = Reply<'listAudit'>[number]

const periodMs = 1000
/** Of one answer; what is more comes with the next. */
const most = 1000

interface Filter {
  since: string | undefined
  app: string | undefined
  actor: string | undefined
}

/**
 * Shows entries as they begin, and once more when they have ended, in the order in which that was written, until an
 * interrupt: from the time that is asked for on, else from now on.
 */
export async function followAudit(session: Session, client: Client, filter: Filter): Promise<void> {
  const { output, isJson, world } = session
  if (isJson) session.beginStream()
  const leaving = new AbortController()
  const stop = world.onInterrupt(() => leaving.abort(new RackError('cancelled', 'stopped watching')))
  try {
    let after = filter.since === undefined ? await furthestPlace(client) : 0
    for (;;) {
      const query = { ...filter, limit: String(most), after: String(after) }
      const entries = await client.listAudit({ query }, leaving)
      for (const entry of entries) {
        if (isJson) output.record(entry)
        else output.data(`${lineOf(entry)}\n`)
      }
      await output.ready()
      after = furthestOf(entries, after)
      if (entries.length < most) await delay(periodMs, undefined, leaving)
    }
  } catch (error) {
    // To stop watching is how it ends.
    if (!leaving.signal.aborted) throw error
  } finally {
    stop()
  }
}

async function furthestPlace(client: Client): Promise<number> {
  return furthestOf(await client.listAudit({ query: { limit: String(most) } }), 0)
}

function furthestOf(entries: Entry[], before: number): number {
  return Math.max(before, ...entries.map(({ place }) => place ?? 0))
}

function lineOf({ begun, ended, caller, source, verb, app, subject, outcome }: Entry): string {
  const words = [ended ?? begun, caller, source, verb, app, subject, outcome ?? 'begins']
  return words.map((word) => word ?? '–').join(' ')
}
