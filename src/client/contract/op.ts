// As a namespace, here and beside: the bundle then leaves out what is not used, and the daemon is 7 MB smaller.
import * as z from 'zod'
import type { Path } from '../paths.ts'

/** One operation of the API: where it is, what goes in and what comes out. Who may call it, the rack's verbs say. */
export interface Op extends Path {
  summary: string
  params?: z.ZodObject
  query?: z.ZodObject
  body?: z.ZodType
  /** The JSON reply, the `result` of a stream, one line of `lines`; nothing for a terminal. */
  reply: z.ZodType
}

/** Checks an operation and keeps its exact type. */
export function op<const T extends Op>(operation: T): T {
  return operation
}

/** A boolean in a query. */
export const flag = z
  .union([z.boolean(), z.enum(['true', 'false'])], 'expected true or false')
  .transform((value) => value === true || value === 'true')

/** A whole number in a query. */
export function wholeNumber(from: number, to: number) {
  return z
    .union([z.number(), z.string().regex(/^-?\d+$/, 'expected a whole number')], 'expected a whole number')
    .transform(Number)
    .pipe(z.number().int().min(from).max(to))
}

const withoutNul = 'expected text without a NUL byte'

/** What is handed to a program, to which a NUL byte is the end of it. */
export const argument = z.string().regex(/^[^\0]*$/, withoutNul)

/** A list in a query: the key once or many times. */
export const list = z
  .union([argument, z.array(argument)], withoutNul)
  .transform((value) => (typeof value === 'string' ? [value] : value))

/** How many rows of a history. */
export const limit = wholeNumber(1, 1000).optional()

/** A point in time in a query; however it is written, in UTC and to the millisecond as the store writes it. */
export const moment = z.iso.datetime({ offset: true }).transform((text) => new Date(text).toISOString())

export const time = z.string().describe('RFC 3339, UTC')
export const appParams = z.object({ app: z.string() })
export const nothing = z.null()
