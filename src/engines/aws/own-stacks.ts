import type { StackOptions } from '../../aws/stack-options.ts'
import type { AwsParts } from './parts.ts'

/** How stacks of apps and services are made: by the role that the rack's own stack has for it, where it has one. */
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
