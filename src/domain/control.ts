/** One line of what a long operation has to say while it runs. */
export type Progress =
  /** Output of a build step or of the engine; `process` names the process type it belongs to. */
  | { type: 'log'; text: string; process?: string; time: string }
  /** A phase began or ended; `ms` is present at its end. */
  | {
      type: 'phase'
      phase: string
      state: 'started' | 'ended'
      process?: string
      detail?: string
      ms?: number
      time: string
    }

/** Given last to everything that does I/O: `signal` ends it, `report` hears of its progress and never throws. */
export interface Control {
  signal: AbortSignal
  report: (progress: Progress) => void
}
