import type { Control } from '../domain/control.ts'
import { codeOf, knownError, type ErrorCode } from '../domain/error.ts'
import type { Owner } from '../domain/owner.ts'
import { abortable } from '../lib/deadline.ts'
import { pause } from '../lib/poll.ts'
import { together } from '../lib/together.ts'
import type { Context } from './context.ts'

/** What comes within it is read once: a deploy starts many copies at a time. */
const gatherMs = 250
/** How often all is looked at, whatever the engine says. */
const sweepMs = 60_000
/** How long after the engine went away it is asked again. */
const retryMs = 2000

/** Who looks at apps, or at services, whose processes may have changed. */
export interface AppWatcher {
  /** Apps unless it is said. */
  of?: Owner['kind']
  /** Looks at one app, or at all of them. `again` has an app looked at later. */
  look(app: string | null, again: (app: string, inMs: number) => void, control: Control): Promise<void>
  /** What cannot be done when a look fails, for the log. */
  failure: string
}

/**
 * Has apps looked at whenever the engine says that their processes may have changed, and all of them now and then, until
 * the signal ends. A look that fails begins the watch anew, and so does an engine that is back.
 */
export async function watchApps(context: Context, watcher: AppWatcher, control: Control): Promise<void> {
  const { signal } = control
  // An engine that is away is told of by whoever waits for it; anything else, such as a full disk, once.
  let known: ErrorCode = 'engine-unavailable'
  while (!signal.aborted) {
    try {
      await watchWhileThere(context, watcher, control)
    } catch (error) {
      if (signal.aborted) return
      const code = codeOf(error)
      const facts = { code, reason: knownError(error).message }
      const isNews = code !== known && code !== 'engine-unavailable'
      if (isNews) context.log('error', watcher.failure, facts)
      known = code
    }
    await pause(retryMs, signal).catch(() => undefined)
  }
}

/** Hears of what may have changed, and looks at it, side by side: a slow look holds no news back. */
async function watchWhileThere(context: Context, watcher: AppWatcher, control: Control): Promise<void> {
  using marks = createMarks()
  const hear = async (signal: AbortSignal) => {
    for await (const owner of context.engine.watch({ ...control, signal })) {
      if (owner === null) marks.add(null)
      else if (owner.kind === (watcher.of ?? 'app')) marks.add(owner.name)
    }
  }
  const look = async (signal: AbortSignal) => {
    for (;;) {
      await marks.wait(signal)
      await pause(gatherMs, signal)
      for (const app of marks.take()) await watcher.look(app, marks.addAt, { ...control, signal })
    }
  }
  await together(control.signal, [hear, look])
}

/** Apps that are to be looked at; null is all of them. */
interface Marks extends Disposable {
  add(app: string | null): void
  addAt: (app: string, inMs: number) => void
  /** Settles when there are some. */
  wait(signal: AbortSignal): Promise<void>
  take(): (string | null)[]
}

function createMarks(): Marks {
  const marked = new Set<string | null>()
  const timers = new Map<string, NodeJS.Timeout>()
  let news = Promise.withResolvers<void>()
  const add = (app: string | null) => {
    marked.add(app)
    news.resolve()
  }
  const sweep = setInterval(() => add(null), sweepMs).unref()
  return {
    add,
    addAt(app, inMs) {
      clearTimeout(timers.get(app))
      timers.set(app, setTimeout(() => add(app), Math.max(0, inMs)).unref())
    },
    wait: async (signal) => await abortable(news.promise, signal),
    take() {
      const all = marked.has(null) ? [null] : [...marked]
      marked.clear()
      news = Promise.withResolvers()
      return all
    },
    [Symbol.dispose]() {
      clearInterval(sweep)
      for (const timer of timers.values()) clearTimeout(timer)
    },
  }
}
