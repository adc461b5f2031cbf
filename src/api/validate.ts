import type { z } from 'zod'
import type { Op } from '../client/contract/op.ts'
import { RackError } from '../domain/error.ts'

const parts = ['params', 'query', 'body'] as const
type RequestPart = (typeof parts)[number]

/** One thing that is wrong with a request. */
export interface InvalidPart {
  in: RequestPart
  /** Dotted; empty for the whole part. */
  path: string
  message: string
}

/**
 * Reads the three parts of a request by the operation's schemas.
 * @throws invalid with `details: InvalidPart[]`: everything that is wrong, not only the first
 */
export function validateRequest(
  operation: Op,
  request: Record<RequestPart, unknown>,
): Record<RequestPart, unknown> {
  const problems: InvalidPart[] = []
  const values: Record<RequestPart, unknown> = { params: undefined, query: undefined, body: undefined }
  for (const part of parts) {
    const result = operation[part]?.safeParse(request[part] ?? {})
    if (result?.success === true) values[part] = result.data
    else if (result) problems.push(...result.error.issues.map((issue) => toInvalidPart(part, issue)))
  }
  if (problems.length === 0) return values
  const lines = problems.map(({ in: part, path, message }) =>
    path === '' ? `${part}: ${message}` : `${path}: ${message}`,
  )
  throw new RackError('invalid', lines.join('; '), { details: problems })
}

function toInvalidPart(part: RequestPart, issue: z.core.$ZodIssue): InvalidPart {
  return { in: part, path: issue.path.map(String).join('.'), message: issue.message }
}
