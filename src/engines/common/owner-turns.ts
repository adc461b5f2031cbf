import type { Control } from '../../domain/control.ts'
import { RackError } from '../../domain/error.ts'
import { ownerKey, type Owner } from '../../domain/owner.ts'
import { createSemaphore, type Semaphore } from '../../lib/semaphore.ts'
import { cancelled } from './cancelled.ts'

/** One change at a time per owner: a stop in the middle of a deploy would see half of it. */
export function createOwnerTurns() {
  const turns = new Map<string, Semaphore>()
  return async <T>(owner: Owner, control: Control, task: () => Promise<T>): Promise<T> => {
    const key = ownerKey(owner)
    const turn = turns.get(key) ?? createSemaphore(1)
    turns.set(key, turn)
    return await guarded(control, () => turn.run(task, control.signal))
  }
}

/** What an ended signal throws is the cancellation, whatever was going on. */
export async function guarded<T>({ signal }: Control, task: () => Promise<T>): Promise<T> {
  try {
    signal.throwIfAborted()
    return await task()
  } catch (error) {
    if (!signal.aborted || error instanceof RackError) throw error
    throw cancelled(signal)
  }
}
