import * as z from 'zod'
import type { AppLogLine } from '../../domain/engine.ts'
import { longestPattern } from '../../domain/log-pattern.ts'
import { paths } from '../paths.ts'
import { appParams, flag, list, moment, op, time, wholeNumber } from './op.ts'

/** A line on the wire: `type` says what the line is, so the process type is `process`, and its id `id`. */
export const logLine = z
  .object({
    type: z.literal('log'),
    time,
    app: z.string(),
    process: z.string().describe('The process type'),
    id: z.string().describe('The process; empty where the rack speaks of a whole type'),
    release: z.string(),
    stream: z.enum(['stdout', 'stderr', 'rack']).describe('`rack` says which lines are missing here'),
    text: z.string(),
    cursor: z.string().describe('Given back as `after`: what comes behind this line'),
  })
  .meta({ id: 'LogLine' })

export type WireLogLine = z.output<typeof logLine>

/** Gives a log line its shape on the wire. */
export function toWireLogLine(line: AppLogLine): WireLogLine {
  const { type, process: processId, ...rest } = line
  return { type: 'log', process: type, id: processId, ...rest }
}

export const logQuery = z.strictObject({
  types: list.optional(),
  process: z.string().optional().describe('The id of one process'),
  release: z.string().optional(),
  since: moment.optional(),
  grep: z
    .string()
    .min(1)
    .max(longestPattern)
    .optional()
    .describe('A text as it is, or a regular expression between slashes: /time(d )?out/i'),
  after: z.string().optional().describe('The cursor of the last line read; not together with `tail`'),
  tail: wholeNumber(0, 1_000_000).optional(),
  follow: flag.default(false),
})

/** Logs. */
export const logOperations = {
  appLogs: op({
    ...paths.appLogs,
    summary: 'Log lines of an app, in time order per process; with follow, without end.',
    params: appParams,
    query: logQuery,
    reply: logLine,
  }),
  rackLogs: op({
    ...paths.rackLogs,
    summary: 'Log lines of all apps.',
    query: logQuery,
    reply: logLine,
  }),
}
