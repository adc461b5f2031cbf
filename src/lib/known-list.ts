import { createSemaphore } from './semaphore.ts'

/** A list that is kept elsewhere, as it is now, at hand without asking for it. */
export interface KnownList<T> {
  current: () => readonly T[]
  /** Runs what changes the list, and knows it as it is then when it settles. */
  change: <R>(change: () => Promise<R>) => Promise<R>
}

export async function openKnownList<T>(read: () => Promise<readonly T[]>): Promise<KnownList<T>> {
  let known = await read()
  // One at a time: a list of before, read late, would hide what was added since.
  const turn = createSemaphore(1)
  return {
    current: () => known,
    change: (change) =>
      turn.run(async () => {
        const result = await change()
        known = await read()
        return result
      }),
  }
}
