import * as z from 'zod'

/** An error on the wire (RFC 9457): the body of `application/problem+json`, and the last line of a stream. */
export const problem = z
  .object({
    type: z.string().describe('urn:rack:error:<code>'),
    title: z.string(),
    status: z.number(),
    detail: z.string(),
    code: z.string(),
    hint: z.string().optional().describe('What to type next'),
    details: z.unknown().optional(),
    requestId: z.string(),
  })
  .meta({ id: 'Problem' })

export type Problem = z.output<typeof problem>
