import { median } from './statistics.ts'

/** Runs both so many times, each of them first in turn: a busy machine drifts. */
export async function interleaved(rounds: number, one: () => Promise<number>, other: () => Promise<number>) {
  const [ours, theirs] = await inTurn(rounds, [one, other])
  return { ours: ours!, theirs: theirs! }
}

/** Runs each so many times, every round in the opposite order. @returns the values of each, a round a place */
export async function inTurn(rounds: number, runs: readonly (() => Promise<number>)[]): Promise<number[][]> {
  const values: number[][] = runs.map(() => [])
  for (let round = 0; round < rounds; round++) {
    const steps = runs.map((run, which) => async () => values[which]!.push(await run()))
    for (const step of round % 2 === 0 ? steps : steps.reverse()) await step()
  }
  return values
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
