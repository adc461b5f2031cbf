/** Says which wait ran out of time, and how long it was given. */
export class DeadlineError extends Error {
  readonly what: string
  readonly deadlineMs: number

  constructor(what: string, deadlineMs: number) {
    super(`timed out after ${deadlineMs} ms waiting for ${what}`)
    this.name = 'DeadlineError'
    this.what = what
    this.deadlineMs = deadlineMs
  }
}

export interface Deadline extends Disposable {
  /** Aborts with the caller's reason, or with a `DeadlineError` or what was given in its place. */
  signal: AbortSignal
}

export interface DeadlineOptions {
  deadlineMs: number
  /** Completes the sentence "timed out waiting for …"; a function is asked when the time is up. */
  what: string | (() => string)
  signal?: AbortSignal | undefined
  /** What the signal aborts with when the time is up; a `DeadlineError` unless given. */
  reason?: () => Error
}

/**
 * A signal that follows the caller's and also aborts when the time is up; dispose it when the wait is over.
 * Its timer keeps the program alive, unlike that of `AbortSignal.timeout`, which lets Node exit in mid-wait.
 */
export function startDeadline({ deadlineMs, what, signal, reason }: DeadlineOptions): Deadline {
  const controller = new AbortController()
  const follow = () => controller.abort(signal?.reason)
  if (signal?.aborted) follow()
  signal?.addEventListener('abort', follow, { once: true })
  const timer = setTimeout(() => {
    const late = () => new DeadlineError(typeof what === 'string' ? what : what(), deadlineMs)
    controller.abort((reason ?? late)())
  }, deadlineMs)
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      clearTimeout(timer)
      signal?.removeEventListener('abort', follow)
    },
  }
}

/** Settles as the promise does, or rejects with the signal's reason as soon as it aborts. */
export async function abortable<T>(promise: PromiseLike<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const abort = () => reject(signal.reason as Error)
  if (signal.aborted) abort()
  signal.addEventListener('abort', abort, { once: true })
  try {
    return await Promise.race([promise, aborted])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

/**
 * Runs a task that must end in time: the task gets the signal, and is left behind if it ignores it.
 *
 * @throws DeadlineError when the time is up, or the reason of the caller's signal
 */
export async function withDeadline<T>(
  options: DeadlineOptions,
  task: (signal: AbortSignal) => PromiseLike<T>,
): Promise<T> {
  using deadline = startDeadline(options)
  deadline.signal.throwIfAborted()
  return await abortable(task(deadline.signal), deadline.signal)
}
