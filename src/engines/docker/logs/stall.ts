/** Why waiting for the end of a log was given up. */
export class StallError extends Error {}

export interface Stall extends Disposable {
  /** Aborts with the caller's reason or with a `StallError`. */
  signal: AbortSignal
  /** Something came: the silence begins anew. */
  progress: () => void
}

export interface StallBounds {
  /** Between two signs of progress. */
  silenceMs: number
  longestMs: number
  signal: AbortSignal
}

/** Ends a wait that goes on without progress, or on and on. */
export function startStall({ silenceMs, longestMs, signal }: StallBounds): Stall {
  const controller = new AbortController()
  const end = (message: string) => controller.abort(new StallError(message))
  const follow = () => controller.abort(signal.reason)
  if (signal.aborted) follow()
  signal.addEventListener('abort', follow, { once: true })
  const silence = setTimeout(() => end(`Docker gave none of it for ${silenceMs / 1000} s`), silenceMs)
  const longest = setTimeout(() => end(`it was not read within ${longestMs / 1000} s`), longestMs)
  return {
    signal: controller.signal,
    progress: () => void silence.refresh(),
    [Symbol.dispose]() {
      clearTimeout(silence)
      clearTimeout(longest)
      signal.removeEventListener('abort', follow)
    },
  }
}
