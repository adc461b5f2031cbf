import type { Answer, Wire } from './request.ts'
import { readJson, writeJson } from './json.ts'
import { refuse } from './value.ts'

const form = { named: false }

export const bodyOf = (body: Buffer): unknown => {
  if (body.length === 0) return {}
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    return refuse('', 'is no JSON')
  }
}

/** `X-Amz-Target: PREFIX.Action`, JSON both ways. */
export const jsonRpc: Wire = {
  action: ({ headers }) => headers['x-amz-target']?.split('.').at(-1) ?? '',
  read: ({ body }, { input }) => readJson(input, bodyOf(body), '', form) as object,
  write: ({ output }, value): Answer => ({
    status: 200,
    headers: { 'content-type': 'application/x-amz-json-1.1' },
    body: output.kind === 'unit' ? '' : JSON.stringify(writeJson(output, value, form)),
  }),
  error: ({ message, status, details }, { code }): Answer => ({
    status,
    headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-errortype': code },
    body: JSON.stringify({ __type: code, message, Message: message, ...details }),
  }),
}
