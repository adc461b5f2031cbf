import type { Round } from './round.ts'
import type { World } from './world.ts'

/** Something to be killed, and where: a row of the table. */
export interface Scenario {
  /** What `--only` takes. */
  name: string
  what: string
  where: string
  /** True where a part that carries requests is killed: what fails then is counted, and is no failure. */
  hitsDataPlane: boolean
  /** `rounds` is how thoroughly: points of a change, or repetitions by fours. */
  run(world: World, rounds: number, hear: Hear): Promise<void>
}

/** Hears of each round that went well. */
export type Hear = (round: Round, where: string) => void
