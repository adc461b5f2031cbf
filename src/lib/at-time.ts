/** The longest that a timer of Node's waits. */
const longestMs = 2 ** 31 - 1

/** Calls once that the clock shows a time, ms since 1970, however far it is; not after it is disposed. Holds no process. */
export function atTime(timeMs: number, call: () => void, now = () => new Date()): Disposable {
  let timer: NodeJS.Timeout
  const wait = () => {
    const leftMs = timeMs - now().getTime()
    if (leftMs <= 0) return call()
    timer = setTimeout(wait, Math.min(leftMs, longestMs)).unref()
  }
  timer = setTimeout(wait, 0).unref()
  return { [Symbol.dispose]: () => clearTimeout(timer) }
}
