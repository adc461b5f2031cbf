import type { IncomingMessage } from 'node:http'
import type { AwsError } from '../fake-service.ts'
import type { Operation } from './shape.ts'

/** A request as a wire form reads it. */
export interface WireRequest {
  method: string
  /** Percent-encoded, without the query. */
  path: string
  query: URLSearchParams
  headers: Record<string, string>
  body: Buffer
}

export interface Answer {
  status: number
  headers: Record<string, string>
  body: string | Uint8Array
}

/** One of the ways in which requests and answers are written. */
export interface Wire {
  /** Which of the operations is meant, or the name of one that is not among them. */
  action(request: WireRequest, operations: Operation[]): string
  /** @throws Refusal */
  read(request: WireRequest, operation: Operation): object
  write(operation: Operation, output: object, requestId: string): Answer
  error(error: AwsError, known: { code: string; body: string }, requestId: string): Answer
}

/** More than any test sends; what is above it is a mistake. */
const largestBytes = 256 * 1024 * 1024

/** A body that the SDK sends in signed or trailing chunks (`aws-chunked`), put together (S). */
function unchunked(body: Buffer): Buffer {
  const parts: Buffer[] = []
  let at = 0
  for (;;) {
    const end = body.indexOf('\r\n', at)
    if (end === -1) throw new Error('a chunk has no head')
    const size = Number.parseInt(body.toString('latin1', at, end), 16)
    if (!(size > 0)) return Buffer.concat(parts)
    parts.push(body.subarray(end + 2, end + 2 + size))
    at = end + 2 + size + 2
  }
}

export async function readRequest(message: IncomingMessage): Promise<WireRequest> {
  const url = new URL(message.url ?? '/', 'http://fake')
  const headers = Object.fromEntries(
    Object.entries(message.headers).map(([name, value]) => [name, String(value)]),
  )
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of message as AsyncIterable<Buffer>) {
    bytes += part.length
    if (bytes > largestBytes) throw new Error(`a request of more than ${largestBytes} bytes`)
    parts.push(part)
  }
  const whole = Buffer.concat(parts)
  const isChunked = headers['x-amz-decoded-content-length'] !== undefined
  const body = isChunked ? unchunked(whole) : whole
  return { method: message.method ?? 'GET', path: url.pathname, query: url.searchParams, headers, body }
}

/** Who signed a request, and for what: `KEY/DATE/REGION/SERVICE/aws4_request`, in a header or in the address of a presigned one (S). */
export function credentialOf({
  headers,
  query,
}: WireRequest): { accessKeyId: string; service: string } | undefined {
  const signed =
    /Credential=([^,\s]+)/.exec(headers['authorization'] ?? '')?.[1] ?? query.get('X-Amz-Credential')
  const [accessKeyId, , , service] = (signed ?? '').split('/')
  return accessKeyId && service ? { accessKeyId, service } : undefined
}
