import type { ProcessPlan } from './plan.ts'

/** How long a new copy may refuse connections when its type names no grace. */
const startGraceMs = 30_000

/**
 * How long a new copy of a type may say nothing. Where the last old one has made place and requests wait for it, that
 * leaves a third of their time to bring the old one back in; the file may name more.
 */
export function startPatienceMs(
  { health, holdMs }: Pick<ProcessPlan, 'holdMs'> & { health: Pick<ProcessPlan['health'], 'graceMs'> },
  isAwaited: boolean,
): number {
  if (health.graceMs > 0) return health.graceMs
  return isAwaited && holdMs > 0 ? Math.min(startGraceMs, (holdMs * 2) / 3) : startGraceMs
}
