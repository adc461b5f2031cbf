import type { EarlyCrash } from '../../domain/deployment.ts'
import type { Operation } from '../../domain/operation.ts'
import type { Plan } from '../../domain/plan.ts'
import type { AppProcess } from '../../domain/process.ts'

/** How long after a promote a crash is told by it. */
export const firstMinuteMs = 60_000

/** What is watched of a promote that is over. */
export interface FirstMinute {
  /** Its row of the journal. */
  operation: string
  release: string
  /** The release that was live before. */
  previous: string | null
  untilMs: number
  /** Types that want to go back to it. */
  rollsBack: ReadonlySet<string>
  /** By process id. */
  crashed: Map<string, EarlyCrash>
  /** Who waits for the promote hears of it too. */
  tell: ((crash: EarlyCrash) => void) | null
}

/** The promotes of which the first minute is not over, by app; the newest of each. */
export type FirstMinutes = Map<string, FirstMinute>

/** Begins the first minute of a promote, which may be partly over. */
export function firstMinuteOf(
  { id, intent }: Pick<Operation, 'id' | 'intent'>,
  { release, processes }: Plan,
  endedMs: number,
): FirstMinute {
  const rollsBack = processes.flatMap((processPlan) => (processPlan.rollsBack ? [processPlan.type] : []))
  return {
    operation: id,
    release,
    previous: intent.previousRelease ?? null,
    untilMs: endedMs + firstMinuteMs,
    rollsBack: new Set(rollsBack),
    crashed: new Map(),
    tell: null,
  }
}

/** Copies of the release that have crashed and were not told of before; all of them are started by its promote. */
export function newCrashes({ release, crashed }: FirstMinute, seen: AppProcess[]): EarlyCrash[] {
  return seen
    .filter((copy) => copy.kind === 'process' && copy.release === release && !crashed.has(copy.id))
    .filter(({ status, restarts }) => restarts > 0 || status === 'crashed' || status === 'restarting')
    .map(({ id, type, status, detail }) => ({ process: id, type, detail: detail ?? status }))
}
