import type { StreamLine } from '../client/client-types.ts'
import type { Progress } from '../domain/control.ts'
import { RackError } from '../domain/error.ts'
import type { ProgressView } from './output/progress.ts'
import type { Session } from './session.ts'

/** One or more long operations of a command, shown to the person or printed as NDJSON. */
export interface Following extends Disposable {
  /**
   * Reads a stream to its result. An interrupt calls `cancel` and waits for the undo; a second one leaves.
   * @throws what the operation rejects with
   */
  follow<Result>(lines: AsyncIterable<StreamLine<Result>>, cancel: Cancel): Promise<Result>
  /** A line for the person; nothing in NDJSON. */
  note(text: string): void
  /** The last line of NDJSON. */
  result(value: unknown): void
}

/** Ends the operation on the rack; settles when it is undone. */
export interface Cancel {
  /** Completes the sentence "cancelling …". */
  what: string
  call: (() => Promise<unknown>) | null
  /** What to type where it comes too late. */
  instead?: string
  /** Hears what the operation says of itself, such as its id. */
  onProgress?: (progress: Progress) => void
}

/** Begins the conversation of a long command. */
export async function startFollowing(session: Session): Promise<Following> {
  const { output, isJson, world } = session
  if (isJson) session.beginStream()
  const { showProgress } = await import('./output/progress.ts')
  const view: ProgressView = isJson
    ? {
        report: output.record,
        note: () => undefined,
        settle: () => undefined,
        [Symbol.dispose]: () => undefined,
      }
    : showProgress(output)
  return {
    note: (text) => view.note(text),
    result: (value) => isJson && output.record({ type: 'result', result: value }),
    [Symbol.dispose]: () => view[Symbol.dispose](),
    async follow(lines, cancel) {
      const interrupts = listenForInterrupts(world, cancel, (text) =>
        isJson ? output.say(text) : view.note(text),
      )
      try {
        for await (const line of until(lines, interrupts.left)) {
          if (line.type === 'result') {
            view.settle()
            interrupts.tellTooLate()
            return line.result
          }
          cancel.onProgress?.(line)
          view.report(line)
        }
        throw new RackError('unreachable', 'the rack ended its answer without a result')
      } finally {
        interrupts.stop()
      }
    },
  }
}

interface Interrupts {
  /** Rejects at the second interrupt. */
  left: Promise<never>
  /** Says, after an interrupt, that the work has come to its end all the same. */
  tellTooLate(): void
  stop(): void
}

function listenForInterrupts(
  world: Session['world'],
  cancel: Cancel,
  say: (text: string) => void,
): Interrupts {
  const { promise: left, reject } = Promise.withResolvers<never>()
  left.catch(() => undefined)
  let count = 0
  const leave = () =>
    reject(new RackError('cancelled', `left; ${cancel.what} goes on`, { hint: 'rack apps info' }))
  const stop = world.onInterrupt(() => {
    count += 1
    if (count > 1 || !cancel.call) return leave()
    say(`cancelling ${cancel.what} and waiting until it is undone; once more to leave without waiting`)
    cancel.call().catch((error: unknown) => {
      // It may have ended by itself in this moment: its own stream says how.
      if (!(error instanceof RackError && error.code === 'conflict')) reject(error)
    })
  })
  const tellTooLate = () => {
    if (count === 0 || !cancel.call) return
    const instead = cancel.instead === undefined ? '' : `; go back with: ${cancel.instead}`
    say(`too late to cancel ${cancel.what}: it is done${instead}`)
  }
  return { left, tellTooLate, stop }
}

async function* until<T>(lines: AsyncIterable<T>, left: Promise<never>): AsyncGenerator<T> {
  const iterator = lines[Symbol.asyncIterator]()
  try {
    for (;;) {
      const next = await Promise.race([iterator.next(), left])
      if (next.done === true) return
      yield next.value
    }
  } finally {
    // Not awaited: one that was left may never settle.
    iterator.return?.(undefined).catch(() => undefined)
  }
}
