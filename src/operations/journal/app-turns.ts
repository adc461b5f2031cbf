import { createSemaphore, type Semaphore } from '../../lib/semaphore.ts'

/**
 * One decision at a time per app. Whoever reads what an app is and begins to change it does both in one turn, so that
 * nothing comes in between; the change itself runs outside, under its journal row.
 */
export interface AppTurns {
  /**
   * `onWait` hears that the turn is somebody else's for now.
   * @throws the signal's reason, when it aborts before the turn has come
   */
  run<T>(app: string, signal: AbortSignal, task: () => Promise<T>, onWait?: () => void): Promise<T>
}

export function createAppTurns(): AppTurns {
  const turns = new Map<string, { semaphore: Semaphore; users: number }>()
  return {
    async run(app, signal, task, onWait) {
      const turn = turns.get(app) ?? { semaphore: createSemaphore(1), users: 0 }
      turns.set(app, turn)
      if (turn.users > 0) onWait?.()
      turn.users++
      try {
        return await turn.semaphore.run(task, signal)
      } finally {
        turn.users--
        if (turn.users === 0) turns.delete(app)
      }
    },
  }
}
