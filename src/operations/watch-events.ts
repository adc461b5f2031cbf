import type { Control } from '../domain/control.ts'
import type { WatchRecord } from '../domain/event.ts'
import { abortable } from '../lib/deadline.ts'
import type { Context } from './context.ts'

const mostAtOnce = 500

/**
 * What happens after a place in the sequence of events, by default from now on, until the signal ends.
 * @throws gone when events after it are no longer kept, also later, for a reader who is too slow
 */
export async function* watchEvents(
  { store }: Context,
  after: number | null,
  { signal }: Control,
): AsyncGenerator<WatchRecord> {
  let cursor = after ?? (await store.events.newest())
  let hasStarted = false
  for (;;) {
    // Listens before it reads: what is added in between wakes it at once.
    using news = store.events.listen()
    const events = await store.events.after(cursor, mostAtOnce)
    if (!hasStarted) yield { type: 'start', cursor }
    hasStarted = true
    for (const event of events) {
      cursor = event.cursor
      yield { type: 'event', ...event }
    }
    if (events.length === 0) await abortable(news.heard, signal)
  }
}
