import { Agent, request } from 'node:http'
import { Agent as TlsAgent, request as requestByTls } from 'node:https'
import { setTimeout as delay } from 'node:timers/promises'

export interface LoadOptions {
  port: number
  host: string
  path?: string
  headers?: Record<string, string>
  connections?: number
  /** False opens a connection for each request. */
  keepAlive?: boolean
  /** How long a connection rests between an answer and its next request; not at all when absent. */
  restMs?: number
  /** How long an answer is waited for; 20 s when absent. */
  patienceMs?: number
  /** By TLS, believing those alone who are in it: PEM. */
  ca?: string
}

export interface LoadResult {
  requests: number
  /** Not answered, or answered with 5xx: what and how often. */
  failures: Record<string, number>
  /** The longest time that one request took, ms. */
  longestMs: number
  /** Bodies seen, by their text; for apps that answer with their version. */
  bodies: Record<string, number>
}

export interface RunningLoad {
  /** What has come so far. */
  soFar: Readonly<LoadResult>
  stop(): Promise<LoadResult>
}

const longestLoadMs = 120_000
const usualPatienceMs = 20_000

/** Sends requests over a fixed number of connections to this machine until told to stop, or for two minutes. */
export function startLoad(options: LoadOptions): RunningLoad {
  const { connections = 16, keepAlive = true, restMs = 0 } = options
  const kept = { keepAlive, maxSockets: connections }
  const agent = options.ca === undefined ? new Agent(kept) : new TlsAgent(kept)
  const result: LoadResult = { requests: 0, failures: {}, longestMs: 0, bodies: {} }
  const deadline = Date.now() + longestLoadMs
  const stopping = new AbortController()

  const connect = async () => {
    while (!stopping.signal.aborted && Date.now() < deadline) {
      await sendOne(result, { ...options, agent }, performance.now())
      if (restMs > 0) await delay(restMs)
    }
  }
  const running = Promise.all(Array.from({ length: connections }, connect))
  return {
    soFar: result,
    async stop() {
      stopping.abort()
      await running
      agent.destroy()
      return result
    },
  }
}

/**
 * Sends requests at a constant rate, whether the ones before are answered or not, until told to stop, or for two
 * minutes. Each counts from the moment when it was due: a stall is not hidden by requests that were not sent meanwhile.
 */
export function startConstantRate({ perSecond, ...question }: Question & { perSecond: number }): RunningLoad {
  const agent = new Agent({ keepAlive: true })
  const result: LoadResult = { requests: 0, failures: {}, longestMs: 0, bodies: {} }
  const underWay = new Set<Promise<void>>()
  const stopping = new AbortController()
  const began = performance.now()

  const send = async () => {
    for (let sent = 0; !stopping.signal.aborted; sent++) {
      const dueMs = began + (sent * 1000) / perSecond
      if (dueMs - began > longestLoadMs) return
      const leftMs = dueMs - performance.now()
      if (leftMs > 0) await delay(leftMs)
      const one = sendOne(result, { ...question, agent }, dueMs).finally(() => underWay.delete(one))
      underWay.add(one)
    }
  }
  const running = send()
  return {
    soFar: result,
    async stop() {
      stopping.abort()
      await running
      await Promise.all(underWay)
      agent.destroy()
      return result
    },
  }
}

async function sendOne(result: LoadResult, question: Question, sinceMs: number): Promise<void> {
  const count = (table: Record<string, number>, key: string) => (table[key] = (table[key] ?? 0) + 1)
  try {
    const { status, body } = await ask(question)
    if (status >= 500) count(result.failures, `answered ${status}`)
    if (body.length < 100) count(result.bodies, body)
  } catch (error) {
    count(result.failures, (error as NodeJS.ErrnoException).code ?? String(error))
  }
  result.requests++
  result.longestMs = Math.max(result.longestMs, performance.now() - sinceMs)
}

export interface Question {
  /** Of this machine, 127.0.0.1 unless it is given. */
  address?: string
  port: number
  host: string
  path?: string
  method?: string
  body?: string
  headers?: Record<string, string>
  agent?: Agent
  patienceMs?: number
  /** By TLS, believing those alone who are in it: PEM. */
  ca?: string
}

/** One request to this machine under a host name. */
export function ask(question: Question): Promise<{ status: number; body: string }> {
  const { address = '127.0.0.1', port, host, path = '/', method = 'GET', body, headers, agent, ca } = question
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: string }>()
  const options = {
    host: address,
    port,
    path,
    method,
    headers: { ...headers, host },
    ...(agent && { agent }),
  }
  const send = ca === undefined ? request : requestByTls
  const tls = ca === undefined ? {} : { ca, servername: host }
  const timeout = question.patienceMs ?? usualPatienceMs
  const sent = send({ ...options, ...tls, timeout }, (response) => {
    let text = ''
    response.setEncoding('utf8')
    response.on('data', (chunk: string) => (text += chunk))
    response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text }))
    response.on('error', reject)
  })
  sent.on('timeout', () => sent.destroy(new Error('no answer in time')))
  sent.on('error', reject)
  sent.end(body)
  return promise
}
