/** How far a recovery is, for those who wait for it. */
export interface RecoveryProgress {
  /** From the daemon's start until what it found has been taken up, and again after an absence of the engine. */
  isConverging(): boolean
  /** Of these apps, those whose live release has not been brought back yet. */
  waiting(apps: readonly string[]): string[]
  /** Runs one recovery of all apps. */
  during<T>(recovery: () => Promise<T>): Promise<T>
  noteBack(app: string): void
}

export function createRecoveryProgress(): RecoveryProgress {
  // A daemon that has just begun has everything before it: until then nobody can tell that all is well.
  let isBegun = false
  let running = 0
  const back = new Set<string>()
  const isConverging = () => !isBegun || running > 0
  return {
    isConverging,
    waiting: (apps) => (isConverging() ? apps.filter((app) => !back.has(app)) : []),
    noteBack: (app) => void back.add(app),
    async during(recovery) {
      running++
      isBegun = true
      back.clear()
      try {
        return await recovery()
      } finally {
        running--
      }
    },
  }
}
