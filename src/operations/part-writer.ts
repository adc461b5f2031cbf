/** Writes one log; a part is put anew while it is small, so that there are few, and each is whole. */
export interface PartWriter {
  add(line: string): void
  /** Settles when all is kept; gives why something is not, or null. */
  close(): Promise<unknown>
}

interface Place {
  put(number: number, text: string): Promise<void>
  /** Called when the last part is kept. */
  finish(): Promise<void>
}

/** A write that is slow or hangs must not fill the memory. */
const mostPendingChars = 8 * 1024 * 1024
/** A part that has become this long is left as it is, and another begun. */
const fullPartChars = 64 * 1024
/** Lines are gathered for so long: each write costs a disk its syncing. */
const gatherMs = 100

export function createPartWriter(place: Place): PartWriter {
  const gathering = createPause()
  let pending = ''
  let part = { number: 1, text: '' }
  let failure: unknown = null
  let flushing: Promise<void> | null = null

  const putPending = async (): Promise<void> => {
    const text = part.text + pending
    pending = ''
    try {
      await place.put(part.number, text)
      part = text.length < fullPartChars ? { ...part, text } : { number: part.number + 1, text: '' }
    } catch (error) {
      failure ??= error
    }
  }
  const flush = async (): Promise<void> => {
    do {
      await putPending()
      if (pending.length < fullPartChars) await gathering.wait(gatherMs)
    } while (pending.length > 0)
    flushing = null
  }

  return {
    add(line) {
      if (pending.length + line.length > mostPendingChars) failure ??= new Error('the log came too fast')
      else pending += line
      if (pending.length >= fullPartChars) gathering.cut()
      if (pending !== '') flushing ??= flush()
    },
    async close() {
      gathering.end()
      await flushing
      try {
        await place.finish()
      } catch (error) {
        failure ??= error
      }
      return failure
    },
  }
}

/** A wait that can be cut short, and for good. */
function createPause() {
  let cut: () => void = () => undefined
  let isEnded = false
  return {
    async wait(ms: number): Promise<void> {
      if (isEnded) return
      const { promise, resolve } = Promise.withResolvers<void>()
      cut = resolve
      const timer = setTimeout(resolve, ms)
      await promise
      clearTimeout(timer)
    },
    cut: () => cut(),
    end() {
      isEnded = true
      cut()
    },
  }
}
