import { errorCodes, RackError, type ErrorCode } from '../domain/error.ts'
import type { Problem } from './contract/problem.ts'
import type { TransportResponse } from './transport.ts'

/** The only place where a problem on the wire becomes an error again. */
export function problemError(problem: Partial<Problem>): RackError {
  const { code = 'internal', detail = 'the rack gave no reason', hint, details, requestId } = problem
  if (Object.hasOwn(errorCodes, code)) {
    return new RackError(code as ErrorCode, detail, { hint, details, requestId })
  }
  // A newer rack may know codes that this client does not.
  return new RackError('internal', `${detail} (${code})`, { hint, details, requestId })
}

/** Makes an error of a refusal; an answer that no rack gives says so. `address`: as whoever asked has it. */
export async function refusal(url: URL, response: TransportResponse, address: string): Promise<RackError> {
  const text = await readText(response.body, 1024 * 1024)
  if (response.headers['content-type']?.startsWith('application/problem+json') === true) {
    const problem = JSON.parse(text) as Problem
    // Only the one who asked knows by which address.
    return problemError(
      problem.code === 'unauthorized' ? { ...problem, hint: `rack login ${address}` } : problem,
    )
  }
  if (response.status === 401) {
    return new RackError('unauthorized', `${url.host} wants a token`, { hint: `rack login ${address}` })
  }
  if (response.status === 503) {
    return new RackError('unreachable', `the rack at ${url.host} is stopping or starting`, {
      hint: 'rack status',
    })
  }
  return new RackError('unreachable', `${url.host} answered ${response.status}, but not as a rack does`, {
    // There is one address of each, and a rule that may be for some alone.
    hint: address.startsWith('aws:')
      ? 'Its balancer may lead there from other addresses alone (--api-allow of the install): rack doctor'
      : 'Is the address right? rack racks lists them; rack login URL adds one.',
    details: { status: response.status, body: text.slice(0, 200) },
  })
}

/** @throws unreachable for more than `maxBytes` */
export async function readText(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  let bytes = 0
  for await (const chunk of body) {
    bytes += chunk.length
    if (bytes > maxBytes) throw new RackError('unreachable', `a reply is larger than ${maxBytes} bytes`)
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}
