import type { Control } from '../domain/control.ts'
import type { TraceEntry } from '../domain/deployment.ts'

/** Notes how long each phase of a rollout takes, and tells as it goes. */
export interface RolloutTrace {
  entries: TraceEntry[]
  phase<T>(phase: string, type: string | null, task: () => Promise<T>): Promise<T>
}

/** Starts the clock of a trace. */
export function startTrace({ report }: Pick<Control, 'report'>): RolloutTrace {
  const entries: TraceEntry[] = []
  const began = performance.now()
  const now = () => Math.round(performance.now() - began)
  return {
    entries,
    async phase(phase, type, task) {
      const startMs = now()
      const about = { type: 'phase' as const, phase, ...(type === null ? {} : { process: type }) }
      report({ ...about, state: 'started', time: new Date().toISOString() })
      try {
        return await task()
      } finally {
        const endMs = now()
        entries.push({ phase, process: type, startMs, endMs })
        report({ ...about, state: 'ended', ms: endMs - startMs, time: new Date().toISOString() })
      }
    },
  }
}
