import type { Control } from './control.ts'

/** Blobs by key: sources and build logs. Keys are `/`-separated words of `[A-Za-z0-9._-]`. */
export interface Objects {
  /** Settles when the blob is durable; until then `get` does not see it. @throws disk-full; too-large */
  put(
    key: string,
    content: AsyncIterable<Uint8Array>,
    control: Control,
  ): Promise<{ bytes: number; sha256: string }>
  /** From `start` on, nothing when that is its end or beyond. @throws not-found at the first read */
  get(key: string, range?: { start: number }): AsyncIterable<Uint8Array>
  size(key: string): Promise<number | null>
  /** Safe to repeat. */
  remove(key: string): Promise<void>
  /** Keys under a prefix, oldest first. */
  list(prefix: string): AsyncIterable<{ key: string; bytes: number; modified: string }>
}
