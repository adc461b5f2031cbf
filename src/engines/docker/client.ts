import type { IncomingMessage, RequestOptions } from 'node:http'
import type { Socket } from 'node:net'
import { pipeline } from 'node:stream/promises'
import { RackError } from '../../domain/error.ts'
import { abortable, startDeadline } from '../../lib/deadline.ts'
import { errorOfAnswer, errorOfConnection } from './errors.ts'

// Not imported: that runs every getter of the module, and one of them loads a WebSocket client of 4 MB.
const { request: httpRequest } = process.getBuiltinModule('node:http')

export interface DockerRequest {
  method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE'
  /** Without the version: `/containers/json`. */
  path: string
  /** Objects are sent as JSON, lists entry by entry, undefined ones not at all. */
  query?: Record<string, string | number | boolean | object | string[] | undefined>
  /** Sent as JSON. */
  body?: unknown
  /** A tar stream, instead of a body. */
  upload?: AsyncIterable<Uint8Array>
  /** A list is a header that comes several times. */
  headers?: Record<string, string | string[]>
  /** Until the whole answer is here, for a stream until its head is; 30 s when absent, null for a wait without end. */
  deadlineMs?: number | null
}

type Signalled = { signal: AbortSignal }

/**
 * The one door to Docker Engine's HTTP API. Every call negotiates the version once, ends with `control.signal`, and
 * throws `engine-unavailable` when nothing answers, `not-found`, `conflict`, `disk-full` or `engine-failed` by status.
 */
export interface DockerClient {
  socketPath: string
  /** Asks for JSON; an empty answer gives null. */
  json<T>(request: DockerRequest, control: Signalled): Promise<T>
  /** The answer's bytes as they come; ends with an error when the engine goes away in the middle. */
  stream(request: DockerRequest, control: Signalled): Promise<IncomingMessage>
  /** A raw connection in both directions (attach, exec). */
  upgrade(request: DockerRequest, control: Signalled): Promise<Socket>
  /** The version spoken, e.g. `1.41`. */
  version(control: Signalled): Promise<string>
}

/** Engines speak at least this (20.10); newer ones refuse older clients, so the newest known is asked for. */
const oldestVersion = '1.41'
const newestVersion = '1.47'
const defaultDeadlineMs = 30_000

/** Connects to a Docker Engine by its socket; nothing is sent before the first call. */
export function connectDocker({ socketPath }: { socketPath: string }): DockerClient {
  let negotiated: Promise<string> | null = null

  const version = async ({ signal }: Signalled): Promise<string> => {
    // Shared by all callers, so it must not end with the signal of one.
    negotiated ??= negotiate(socketPath).catch((error: unknown) => {
      negotiated = null
      throw error
    })
    return await abortable(negotiated, signal)
  }

  const open = async (request: DockerRequest, control: Signalled, upgrade: boolean): Promise<Opened> => {
    const path = `/v${await version(control)}${request.path}${queryString(request.query)}`
    try {
      return await send({ socketPath, path, request, upgrade, signal: control.signal })
    } catch (error) {
      // The engine may come back as another version.
      if (error instanceof RackError && error.code === 'engine-unavailable') negotiated = null
      throw error
    }
  }

  return {
    socketPath,
    version,
    async json<T>(request: DockerRequest, control: Signalled): Promise<T> {
      using deadline = deadlineOf(request, control)
      try {
        const { response } = await open({ ...request, deadlineMs: null }, deadline, false)
        return (await readJson(response)) as T
      } catch (error) {
        throw endOf(error, deadline, whatOf(request))
      }
    },
    async stream(request, control) {
      return (await open(request, control, false)).response
    },
    async upgrade(request, control) {
      const opened = await open(request, control, true)
      return opened.socket
    },
  }
}

interface Opened {
  response: IncomingMessage
  socket: Socket
}

interface Sending {
  socketPath: string
  path: string
  request: DockerRequest
  upgrade: boolean
  signal: AbortSignal
}

/** Settles when the head of a good answer is here; reads a bad one to its end and throws it. */
async function send({ socketPath, path, request, upgrade, signal }: Sending): Promise<Opened> {
  const what = whatOf(request)
  using deadline = deadlineOf(request, { signal })
  const sent = httpRequest(optionsOf(socketPath, path, request, upgrade))
  const { promise, resolve, reject } = Promise.withResolvers<Opened>()
  sent.once('response', (response) => resolve({ response, socket: response.socket }))
  sent.once('upgrade', (response, socket, head) => {
    if (head.length > 0) socket.unshift(head)
    resolve({ response, socket })
  })
  sent.once('error', reject)
  const body = request.upload ? pipeline(request.upload, sent) : sendBody(sent, request.body)
  // A refused upload breaks the pipe, and the answer that says why arrives all the same.
  body.catch((error: unknown) => setImmediate(reject, error))
  try {
    const opened = await abortable(promise, deadline.signal)
    sent.on('error', (error) => opened.response.destroy(error))
    followSignal(opened, signal)
    if ((opened.response.statusCode ?? 500) < 400) return opened
    throw errorOfAnswer(what, opened.response.statusCode ?? 500, await readText(opened.response))
  } catch (error) {
    sent.on('error', () => sent.destroy())
    sent.destroy()
    throw endOf(error, { signal }, what)
  }
}

function optionsOf(
  socketPath: string,
  path: string,
  request: DockerRequest,
  upgrade: boolean,
): RequestOptions {
  const headers: Record<string, string | string[]> = { Host: 'docker', ...request.headers }
  if (request.body !== undefined) headers['Content-Type'] = 'application/json'
  if (request.upload) headers['Content-Type'] = 'application/x-tar'
  if (upgrade) Object.assign(headers, { Connection: 'Upgrade', Upgrade: headers.Upgrade ?? 'tcp' })
  // No pool: a connection to a socket file costs nothing, and a pooled one may be dead after the engine's restart.
  return { socketPath, path, method: request.method ?? 'GET', headers, agent: false }
}

async function sendBody(sent: ReturnType<typeof httpRequest>, body: unknown): Promise<void> {
  sent.end(body === undefined ? undefined : JSON.stringify(body))
  await Promise.resolve()
}

/** The end of the signal ends the answer too. */
function followSignal({ response, socket }: Opened, signal: AbortSignal): void {
  const end = () => {
    response.destroy(signal.reason as Error)
    socket.destroy()
  }
  if (signal.aborted) end()
  signal.addEventListener('abort', end, { once: true })
  socket.once('close', () => signal.removeEventListener('abort', end))
  // Without a listener an error of the connection would end the program; readers see it in their own loop.
  socket.on('error', () => socket.destroy())
}

async function readJson(response: IncomingMessage): Promise<unknown> {
  const text = await readText(response)
  return text === '' ? null : JSON.parse(text)
}

async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}

/** Why a call ended: the caller's own reason first, then what the engine or the connection said. */
function endOf(error: unknown, { signal }: Signalled, what: string): unknown {
  if (signal.aborted) {
    const reason: unknown = signal.reason
    if (reason instanceof RackError) return reason
  }
  return error instanceof RackError ? error : errorOfConnection(error, signal, what)
}

function deadlineOf(request: DockerRequest, { signal }: Signalled): Disposable & Signalled {
  const { deadlineMs = defaultDeadlineMs } = request
  if (deadlineMs === null) return { signal, [Symbol.dispose]: () => undefined }
  return startDeadline({
    deadlineMs,
    what: `Docker Engine: ${whatOf(request)}`,
    signal,
  })
}

function whatOf({ method = 'GET', path }: DockerRequest): string {
  return `${method} ${path}`
}

function queryString(query: DockerRequest['query']): string {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value === undefined) continue
    if (Array.isArray(value)) for (const entry of value) parameters.append(name, String(entry))
    else parameters.set(name, typeof value === 'object' ? JSON.stringify(value) : String(value))
  }
  return parameters.size === 0 ? '' : `?${parameters.toString()}`
}

async function negotiate(socketPath: string): Promise<string> {
  const signal = new AbortController().signal
  const request: DockerRequest = { path: '/_ping', deadlineMs: 5000 }
  const { response } = await send({ socketPath, path: '/_ping', request, upgrade: false, signal })
  response.resume()
  const offered = String(response.headers['api-version'] ?? '')
  if (compareVersions(offered, oldestVersion) < 0) {
    throw new RackError('unsupported', `this Docker Engine speaks API ${offered || 'unknown'}`, {
      hint: `Rack needs Docker Engine 20.10 or newer (API ${oldestVersion}).`,
    })
  }
  return compareVersions(offered, newestVersion) < 0 ? offered : newestVersion
}

/** Negative where the first is the older. */
export function compareVersions(a: string, b: string): number {
  const [majorA = 0, minorA = 0] = a.split('.').map(Number)
  const [majorB = 0, minorB = 0] = b.split('.').map(Number)
  return majorA - majorB || minorA - minorB
}
