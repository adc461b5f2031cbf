import { median } from './statistics.ts'

/** Runs both so many times, each of them first in turn: a busy machine drifts. */
export async function interleaved(rounds: number, one: () => Promise<number>, other: () => Promise<number>) {
  const [ours, theirs]: [number[], number[]] = [[], []]
  for (let round = 0; round < rounds; round++) {
    const steps = [async () => ours.push(await one()), async () => theirs.push(await other())]
    for (const step of round % 2 === 0 ? steps : steps.reverse()) await step()
  }
  return { ours, theirs }
}

/** The median of the ratios of neighbours. */
export function ratioOf(ours: number[], theirs: number[]): number {
  return median(ours.map((value, round) => value / theirs[round]!))
}

/** In seconds. */
export async function took(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return (performance.now() - start) / 1000
}
