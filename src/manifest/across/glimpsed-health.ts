import { childOf } from '../syntax/tree.ts'
import type { Across } from './across.ts'

/** Says of a path that the router never asks, since nothing of the process is open to it, how long it counts. */
export function tellOfGlimpsedHealth({ processes, problems }: Across): void {
  for (const { type, entry } of processes) {
    const { health, healthcheck, ports } = type
    const isWatched = healthcheck !== null || ports.some(({ external }) => external !== null)
    if (health.path === null || ports.length === 0 || isWatched) continue
    problems.warn(
      childOf(entry.value, 'labels') ?? entry.key,
      `${health.path} is asked while a copy starts and no more: no port of the process is open to the router`,
      'write a `healthcheck:` that asks it, which counts for as long as a copy runs',
    )
  }
}
