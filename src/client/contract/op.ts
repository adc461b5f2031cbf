// As a namespace, here and beside: the bundle then leaves out what is not used, and the daemon is 7 MB smaller.
import * as z from 'zod'
import type { Permission } from '../../domain/store.ts'
import type { Path } from '../paths.ts'

/** One operation of the API: where it is, who may call it, what goes in and what comes out. */
export interface Op extends Path {
  /** Null needs no token. */
  permission: Permission | null
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
    .union([z.number(), z.string().regex(/^-?\d+$/)], 'expected a whole number')
    .transform(Number)
    .pipe(z.number().int().min(from).max(to))
}

/** A list in a query: the key once or many times. */
export const list = z
  .union([z.string(), z.array(z.string())])
  .transform((value) => (typeof value === 'string' ? [value] : value))

/** How many rows of a history. */
export const limit = wholeNumber(1, 1000).optional()

export const time = z.string().describe('RFC 3339, UTC')
export const appParams = z.object({ app: z.string() })
export const nothing = z.null()
