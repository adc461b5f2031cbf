import * as z from 'zod'
import { progress } from '../client/contract/builds.ts'
import type { Op } from '../client/contract/op.ts'
import { problem } from '../client/contract/problem.ts'
import type { Access } from '../edge/face.ts'
import { verbs, type VerbName } from '../operations/verbs.ts'

/** What the description says of an operation; the reply's schema also serializes it. */
export function routeSchema(operation: Op, access: Access): Record<string, unknown> {
  const { summary, params, query, body, path } = operation
  const isUpload = operation.kind === 'upload'
  return {
    summary,
    tags: [/^\/v1\/apps\/:app\/(\w+)/.exec(path)?.[1] ?? /^\/v1\/(\w+)/.exec(path)?.[1] ?? 'rack'],
    security: access === 'anyone' ? [] : [{ token: [] }],
    ...(access in verbs && { 'x-permission': verbs[access as VerbName].permission }),
    ...(params && { params }),
    ...(query && { querystring: query }),
    ...(body && { body }),
    ...(isUpload && { body: tarBody, consumes: ['application/x-tar'] }),
    response: { ...successOf(operation), default: problemAnswer },
  }
}

const tarBody = z.unknown().meta({ type: 'string', format: 'binary', description: 'A tar' })

const problemAnswer = {
  description: 'Refused; the code is one of docs/errors.md',
  content: { 'application/problem+json': { schema: problem } },
}

function successOf({ kind, reply }: Op): Record<number, unknown> {
  if (kind === 'terminal' || kind === 'connection')
    return { 101: z.null().describe('Binary messages: a channel byte, then content') }
  if (kind === 'json') return reply instanceof z.ZodNull ? { 204: reply.describe('Done') } : { 200: reply }
  if (kind === 'download') {
    return { 200: { description: 'A tar', content: { 'application/x-tar': { schema: tarBody } } } }
  }
  const isLines = kind === 'lines'
  const result = z.object({ type: z.literal('result'), result: isLines ? z.null() : reply })
  const error = z.object({ type: z.literal('error'), error: problem })
  const schema = z.union([isLines ? reply : progress, result, error])
  const description =
    'One JSON object a line; the last is the result or the error. Empty lines are heartbeats.'
  return { 200: { description, content: { 'application/x-ndjson': { schema } } } }
}
