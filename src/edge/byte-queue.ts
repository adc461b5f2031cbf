/** Bytes that are pushed at one end and read at the other. */
export interface ByteQueue {
  push(chunk: Uint8Array): void
  end(): void
  chunks(): AsyncIterable<Uint8Array>
}

const highWaterBytes = 1024 * 1024

/** Asks the source to pause while more than a mebibyte waits to be read. */
export function createByteQueue(source: { pause(): void; resume(): void }): ByteQueue {
  const queue: Uint8Array[] = []
  let waiting = 0
  let isEnded = false
  let wake: () => void = () => {}

  return {
    push(chunk) {
      if (isEnded) return
      queue.push(chunk)
      waiting += chunk.length
      if (waiting > highWaterBytes) source.pause()
      wake()
    },
    end() {
      isEnded = true
      wake()
    },
    async *chunks() {
      for (;;) {
        const chunk = queue.shift()
        if (chunk) {
          waiting -= chunk.length
          if (waiting <= highWaterBytes) source.resume()
          yield chunk
        } else {
          if (isEnded) return
          const { promise, resolve } = Promise.withResolvers<void>()
          wake = resolve
          await promise
        }
      }
    },
  }
}
