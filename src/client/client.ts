import type { ExitCode } from '../domain/process.ts'
import type { Terminal } from '../domain/terminal.ts'
import { RackError } from '../domain/error.ts'
import { abortable, withDeadline } from '../lib/deadline.ts'
import { unixPath } from '../lib/unix-url.ts'
import type { CallOptions, Client, TerminalOptions } from './client-types.ts'
import { nodeTransport } from './node-transport.ts'
import { paths, type OperationName, type Path } from './paths.ts'
import { problemError, readText, refusal } from './read-problem.ts'
import { readRecords } from './read-records.ts'
import { runConnection, type LocalStream } from './run-connection.ts'
import { runTerminal } from './run-terminal.ts'
import { requestUrl, type AnyInput } from './request-url.ts'
import type {
  PinnedServer,
  Transport,
  TransportRequest,
  TransportResponse,
  TransportSocket,
  Tunnel,
} from './transport.ts'

export interface ClientOptions {
  /** `https://rack.example.com`, or `unix:/var/lib/rack/rack/api.sock` */
  url: string
  token?: string | undefined
  /** Who alone is believed by https, PEM; the known authorities when absent. */
  pinned?: string | undefined
  /** Goes before what the address says. */
  tunnel?: Tunnel | undefined
  /** Where the rack is called, whatever the address says. */
  server?: PinnedServer | undefined
  transport?: Transport
}

const largestReplyBytes = 64 * 1024 * 1024
const replyDeadlineMs = 30_000
/** The rack says something at least every 15 s while it works. */
const silenceMs = 45_000

interface Connection {
  /** As a person types it. */
  address: string
  /** As requests have it; where it leads by no network, its name is for their head and for errors. */
  url: string
  transport: Transport
  headers(): Record<string, string>
}

/**
 * Calls a rack: one method per operation of the contract. A JSON operation resolves to its reply; a stream is an async
 * iterable of lines, of which the last is the result; leaving its iteration detaches. All reject with a `RackError`:
 * the rack's own, or `unreachable`.
 */
export function createClient({ url, token, transport, ...way }: ClientOptions): Client {
  const { pinned, tunnel, server } = way
  const socketPath = unixPath(url) ?? undefined
  const connection = {
    address: url,
    url: server
      ? `https://${server.name}`
      : tunnel
        ? `http://${tunnel.host}`
        : socketPath === undefined
          ? url
          : 'http://localhost',
    transport: transport ?? nodeTransport({ socketPath, pinned, tunnel, server }),
    headers: () => authorization(token),
  }
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
    case 'download':
      return (input?: AnyInput, options?: CallOptions) => callDownload(connection, path, input, options)
    case 'connection':
      return (input: AnyInput, local: LocalStream, options?: CallOptions) =>
        callConnection(connection, { path, input, local }, options)
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
  if (response.status >= 300) throw await refusal(url, response, connection.address)
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
    // An earlier rack has no stream for what was over soon.
    if (response.status === 204) return yield { type: 'result', result: null }
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

async function* callDownload(
  connection: Connection,
  path: Path,
  input: AnyInput = {},
  { signal }: CallOptions = {},
): AsyncGenerator<Uint8Array> {
  const { host } = requestUrl(connection.url, path.path, input)
  const leaving = new AbortController()
  const either = signal ? AbortSignal.any([signal, leaving.signal]) : leaving.signal
  const wait = { deadlineMs: path.silenceMs ?? silenceMs, what: `more of an archive of ${host}`, signal }
  let hasBegun = false
  try {
    const response = await withDeadline(wait, () => open(connection, path, input, either))
    hasBegun = true
    const chunks = response.body[Symbol.asyncIterator]()
    for (;;) {
      const { done, value } = await withDeadline(wait, () => chunks.next())
      if (done === true) return
      yield value
    }
  } catch (error) {
    if (!hasBegun || signal?.aborted) throw inTime(error, 'unreachable')
    throw new RackError('unreachable', `${host} broke the archive off in its middle`, {
      hint: 'What has come of it is not whole. Look with: rack ps',
      cause: error,
    })
  } finally {
    leaving.abort(new RackError('cancelled', 'nobody reads on'))
  }
}

async function callConnection(
  connection: Connection,
  { path, input, local }: { path: Path; input: AnyInput; local: LocalStream },
  { signal }: CallOptions = {},
): Promise<void> {
  const url = requestUrl(connection.url, path.path, input)
  using opened = await openSocket(connection, url, signal)
  const running = runConnection(url, opened.socket, local)
  // It may be waiting for a reader who never comes.
  await (signal ? abortable(running, signal) : running)
}

interface OpenedSocket extends Disposable {
  socket: TransportSocket
}

/** A WebSocket that is closed when disposed. @throws what the rack says instead */
async function openSocket(
  connection: Connection,
  url: URL,
  signal: AbortSignal | undefined,
): Promise<OpenedSocket> {
  const socketUrl = new URL(url)
  socketUrl.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
  const ending = new AbortController()
  const either = signal ? AbortSignal.any([signal, ending.signal]) : ending.signal
  const socket = await connection.transport.connect({
    url: socketUrl,
    headers: connection.headers(),
    signal: either,
  })
  if ('status' in socket) throw await refusal(url, socket, connection.address)
  return { socket, [Symbol.dispose]: () => ending.abort(new RackError('cancelled', 'it has ended')) }
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
  using opened = await openSocket(connection, url, signal)
  return await runTerminal(url, opened.socket, terminal, onStarted)
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
