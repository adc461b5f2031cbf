import type { ExitCode } from '../domain/process.ts'
import type { Terminal } from '../domain/terminal.ts'
import { RackError } from '../domain/error.ts'
import { withDeadline } from '../lib/deadline.ts'
import type { CallOptions, Client, TerminalOptions } from './client-types.ts'
import { nodeTransport } from './node-transport.ts'
import { paths, type OperationName, type Path } from './paths.ts'
import { problemError, readText, refusal } from './read-problem.ts'
import { readRecords } from './read-records.ts'
import { runTerminal } from './run-terminal.ts'
import { requestUrl, type AnyInput } from './request-url.ts'
import type { Transport, TransportRequest, TransportResponse } from './transport.ts'

export interface ClientOptions {
  /** `http://127.0.0.1:5480` */
  url: string
  token?: string | undefined
  transport?: Transport
}

const largestReplyBytes = 64 * 1024 * 1024
const replyDeadlineMs = 30_000
/** The rack says something at least every 15 s while it works. */
const silenceMs = 45_000

interface Connection {
  url: string
  transport: Transport
  headers(): Record<string, string>
}

/**
 * Calls a rack: one method per operation of the contract. A JSON operation resolves to its reply; a stream is an async
 * iterable of lines, of which the last is the result; leaving its iteration detaches. All reject with a `RackError`:
 * the rack's own, or `unreachable`.
 */
export function createClient({ url, token, transport = nodeTransport() }: ClientOptions): Client {
  const connection = { url, transport, headers: () => authorization(token) }
  const names = Object.keys(paths) as OperationName[]
  const methods = names.map((name) => [name, caller(connection, paths[name])] as const)
  return Object.fromEntries(methods) as unknown as Client
}

function caller(connection: Connection, path: Path): (...given: never[]) => unknown {
  switch (path.kind) {
    case 'json':
      return (input?: AnyInput, options?: CallOptions) => callJson(connection, path, input, options)
    case 'stream':
    case 'upload':
    case 'lines':
      return (input?: AnyInput, options?: CallOptions) => callStream(connection, path, input, options)
    case 'terminal':
      return (input: AnyInput, terminal: Terminal, options?: TerminalOptions) =>
        callTerminal(connection, { path, input, terminal }, options)
  }
}

/** A token that no header can hold is not one of ours. */
function authorization(token: string | undefined): Record<string, string> {
  if (token === undefined) return {}
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw new RackError('unauthorized', 'the token is damaged: it holds blanks or control characters', {
      hint: 'rack login URL',
    })
  }
  return { authorization: `Bearer ${token}` }
}

async function callJson(
  connection: Connection,
  path: Path,
  input: AnyInput = {},
  { signal }: CallOptions = {},
): Promise<unknown> {
  const deadlineMs = path.deadlineMs ?? replyDeadlineMs
  const url = requestUrl(connection.url, path.path, input)
  const what = `a reply of ${url.host}`
  try {
    return await withDeadline({ deadlineMs, what, signal }, async (signal) => {
      const response = await open(connection, path, input, signal)
      const text = await readText(response.body, largestReplyBytes)
      return response.status === 204 ? null : parseJson(url, text)
    })
  } catch (error) {
    throw inTime(error, 'timeout')
  }
}

async function open(
  connection: Connection,
  path: Path,
  input: AnyInput,
  signal: AbortSignal,
): Promise<TransportResponse> {
  const url = requestUrl(connection.url, path.path, input)
  const body = requestBody(input)
  const request = { method: path.method, url, headers: { ...connection.headers(), ...body.headers } }
  const response = await connection.transport.request({ ...request, body: body.content, signal })
  if (response.status >= 300) throw await refusal(url, response)
  return response
}

function requestBody(
  input: AnyInput,
): Pick<TransportRequest, 'headers'> & { content: TransportRequest['body'] } {
  if (input.content) return { headers: { 'content-type': 'application/x-tar' }, content: input.content }
  if (input.body === undefined) return { headers: {}, content: null }
  return { headers: { 'content-type': 'application/json' }, content: JSON.stringify(input.body) }
}

async function* callStream(
  connection: Connection,
  path: Path,
  input: AnyInput = {},
  { signal }: CallOptions = {},
): AsyncGenerator {
  const url = requestUrl(connection.url, path.path, input)
  const leaving = new AbortController()
  const either = signal ? AbortSignal.any([signal, leaving.signal]) : leaving.signal
  const wait = { deadlineMs: silenceMs, what: `a word of ${url.host}`, signal }
  try {
    const response = await withDeadline(wait, () => open(connection, path, input, either))
    const records = readRecords(url, response.body)
    for (;;) {
      const { done, value } = await withDeadline(wait, () => records.next())
      if (done === true) throw truncated(url)
      if (value.type === 'error') throw problemError(value.error)
      // Lines are all that their reader wants; the end of a list needs no word.
      if (value.type === 'result' && path.kind === 'lines') return
      if (value.type !== 'ping') yield value
      if (value.type === 'result') return
    }
  } catch (error) {
    throw inTime(error, 'unreachable')
  } finally {
    leaving.abort(new RackError('cancelled', 'nobody reads on'))
  }
}

async function callTerminal(
  connection: Connection,
  { path, input, terminal }: { path: Path; input: AnyInput; terminal: Terminal },
  { signal, onStarted }: TerminalOptions = {},
): Promise<ExitCode> {
  const { tty, rows, columns } = terminal
  const url = requestUrl(connection.url, path.path, {
    ...input,
    query: { ...input.query, tty, rows, columns },
  })
  if (url.href.length > 100_000) {
    throw new RackError('too-large', 'the command is longer than 100,000 characters', {
      hint: 'Send it as input: rack run TYPE sh < script',
    })
  }
  const socketUrl = new URL(url)
  socketUrl.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
  const ending = new AbortController()
  const either = signal ? AbortSignal.any([signal, ending.signal]) : ending.signal
  const request = { url: socketUrl, headers: connection.headers(), signal: either }
  const socket = await connection.transport.connect(request)
  if ('status' in socket) throw await refusal(url, socket)
  try {
    return await runTerminal(url, socket, terminal, onStarted)
  } finally {
    ending.abort(new RackError('cancelled', 'the terminal has ended'))
  }
}

function truncated(url: URL): RackError {
  return new RackError('unreachable', `the rack at ${url.host} went away in the middle of its answer`, {
    hint: 'The work goes on if it was a build or a change: rack apps info shows it.',
  })
}

function inTime(error: unknown, code: 'timeout' | 'unreachable'): unknown {
  if (!(error instanceof Error) || error.name !== 'DeadlineError') return error
  return new RackError(code, error.message, { hint: 'rack status', cause: error })
}

function parseJson(url: URL, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    const message = `${url.host} answered with something that is not JSON`
    throw new RackError('unreachable', message, { hint: 'Is the address right? rack racks', cause })
  }
}
