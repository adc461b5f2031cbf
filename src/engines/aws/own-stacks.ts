import type { StackOptions } from '../../aws/stack-options.ts'
import { createSemaphore, type Semaphore } from '../../lib/semaphore.ts'
import type { AwsParts } from './parts.ts'

/** How stacks of the engine's own are made: by the role that the rack's own stack has for it, where it has one. */
export function ownStackOptions(
  { clients, intervals, places }: Pick<AwsParts, 'clients' | 'intervals' | 'places'>,
  deadlineMs?: number,
): StackOptions {
  return {
    stacks: clients.stacks,
    intervalMs: intervals.stacks,
    ...(deadlineMs !== undefined && { deadlineMs }),
    ...(places.stackRole !== undefined && { role: places.stackRole }),
  }
}

/** Who changes the stack of this name does so alone. */
export function stackTurn({ stackTurns }: Pick<AwsParts, 'stackTurns'>, name: string): Semaphore {
  const turn = stackTurns.get(name) ?? createSemaphore(1)
  stackTurns.set(name, turn)
  return turn
}
