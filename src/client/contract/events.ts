import * as z from 'zod'
import { paths } from '../paths.ts'
import { op, time, wholeNumber } from './op.ts'

const cursor = z.number().describe('The place in the sequence; follow after it')

const start = z.object({ type: z.literal('start'), cursor }).meta({ id: 'EventStart' })

const event = z
  .object({
    type: z.literal('event'),
    cursor,
    time,
    noun: z.enum(['app', 'release', 'operation', 'process', 'timer', 'service']),
    change: z.enum(['created', 'changed', 'removed']),
    app: z.string().describe('Empty for a service'),
    id: z
      .string()
      .describe(
        'Of the release, the operation or the process; `type.name` of a timer; the name of the app, or of the service',
      ),
    facts: z.record(z.string(), z.string()),
  })
  .meta({ id: 'Event' })

/** What changes. */
export const eventOperations = {
  watchEvents: op({
    ...paths.watchEvents,
    summary: 'What changes of the rack, without end: first from where, then event by event.',
    query: z.strictObject({
      after: wholeNumber(0, Number.MAX_SAFE_INTEGER)
        .optional()
        .describe('The cursor of the last event that was read; from now on when absent'),
    }),
    reply: z.union([start, event]),
  }),
}
