import * as z from 'zod'
import type { LogLine } from '../../domain/engine.ts'
import { paths } from '../paths.ts'
import { appParams, flag, list, op, time, wholeNumber } from './op.ts'

/** A line on the wire: `type` says what the line is, so the process type is `process`, and its id `id`. */
const logLine = z
  .object({
    type: z.literal('log'),
    time,
    app: z.string(),
    process: z.string().describe('The process type'),
    id: z.string().describe('The process'),
    release: z.string(),
    stream: z.enum(['stdout', 'stderr']),
    text: z.string(),
  })
  .meta({ id: 'LogLine' })

export type WireLogLine = z.output<typeof logLine>

/** Gives a log line its shape on the wire. */
export function toWireLogLine(line: LogLine): WireLogLine {
  const { type, process, ...rest } = line
  return { type: 'log', process: type, id: process, ...rest }
}

/** Logs. */
export const logOperations = {
  appLogs: op({
    ...paths.appLogs,
    permission: 'read',
    summary: 'Log lines of an app, in time order per process; with follow, without end.',
    params: appParams,
    query: z.strictObject({
      types: list.optional(),
      process: z.string().optional().describe('The id of one process'),
      since: z.iso.datetime({ offset: true }).optional(),
      tail: wholeNumber(0, 1_000_000).optional(),
      follow: flag.default(false),
    }),
    reply: logLine,
  }),
}
