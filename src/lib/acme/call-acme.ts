import { AsyncLocalStorage } from 'node:async_hooks'
import { Agent, request } from 'node:https'
import type { IncomingMessage } from 'node:http'
import { rootCertificates } from 'node:tls'
import * as acme from 'acme-client'
import { AcmeProblem, problemOf, readRetryAfter, type ProblemDocument } from './acme-problem.ts'

export type { Authorization, Client, Order } from 'acme-client'

/** Whom it is spoken to, and as whom. */
export interface AcmePeer {
  /** The URL of its directory: https. */
  directory: string
  /** PEM of those who sign for it, besides those that the system knows. */
  ca: string | null
  /** PEM of the account's key. */
  key: string
  /** The account's name there; null before it is made. */
  account: string | null
}

interface Call {
  agent: Agent
  signal: AbortSignal
  /** Until when the last answer asked to wait. */
  waitUntil: Date | null
}

const answerMs = 30_000
const mostBytes = 512 * 1024

const calls = new AsyncLocalStorage<Call>()

/**
 * Speaks to an authority: each request of the client is bounded, ends with the signal, and is made once. Who is to try
 * again, and when, is left to the caller.
 * @throws AcmeProblem for what the authority refuses, and where it is not reached
 */
export async function callAcme<T>(
  { directory, ca, key, account }: AcmePeer,
  { signal }: { signal: AbortSignal },
  work: (client: acme.Client) => Promise<T>,
): Promise<T> {
  // The library's own way out retries for minutes, and knows neither signals nor authorities.
  acme.axios.defaults.adapter = send
  const client = new acme.Client({
    directoryUrl: directory,
    accountKey: key,
    ...(account !== null && { accountUrl: account }),
  })
  const roots = ca === null ? {} : { ca: [...rootCertificates, ca] }
  const agent = new Agent({ keepAlive: true, ...roots })
  try {
    return await calls.run({ agent, signal, waitUntil: null }, () => work(client))
  } finally {
    agent.destroy()
  }
}

/** Inside of a call: for how long the last answer asked to wait; 0 where it did not. */
export function retryAfterMs(): number {
  const { waitUntil } = calls.getStore()!
  return waitUntil === null ? 0 : Math.max(0, waitUntil.getTime() - Date.now())
}

/** A request for a certificate of one host, of this key. */
export async function certificateRequest(name: string, key: string): Promise<Buffer> {
  const [, csr] = await acme.crypto.createCsr({ altNames: [name] }, key)
  return csr
}

type Adapter = Extract<typeof acme.axios.defaults.adapter, (...args: never[]) => unknown>

const send: Adapter = async (config) => {
  const call = calls.getStore()!
  const url = new URL(config.url!)
  const response = await open(url, call, {
    method: config.method?.toUpperCase() ?? 'GET',
    headers: config.headers.toJSON() as Record<string, string>,
    body: config.data as string | undefined,
  })
  const text = await read(response, url)
  const { status, notBefore } = facts(response)
  call.waitUntil = notBefore
  const isJson = /\bjson\b/.test(response.headers['content-type'] ?? '')
  const data = isJson ? parse(text, url) : text
  const problem =
    status < 400 ? null : problemOf(isJson ? (data as ProblemDocument) : null, { status, notBefore })
  // That one the library sees to by itself.
  if (problem && problem.type !== 'badNonce') throw problem
  const headers = response.headers as Record<string, string>
  return { data, status, statusText: response.statusMessage ?? '', headers, config }
}

function facts({ statusCode = 0, headers }: IncomingMessage) {
  return { status: statusCode, notBefore: readRetryAfter(headers['retry-after'], new Date()) }
}

interface Question {
  method: string
  headers: Record<string, string>
  body: string | undefined
}

async function open(
  url: URL,
  { agent, signal }: Call,
  { method, headers, body }: Question,
): Promise<IncomingMessage> {
  if (url.protocol !== 'https:') throw new AcmeProblem(`${url.href} is not reached by https`)
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(answerMs)])
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  request(url, { method, headers, signal: bounded, agent }, resolve).on('error', reject).end(body)
  try {
    return await promise
  } catch (cause) {
    throw unreached(url, signal, cause)
  }
}

async function read(response: IncomingMessage, url: URL): Promise<string> {
  const { signal } = calls.getStore()!
  const pieces: Buffer[] = []
  let bytes = 0
  try {
    for await (const piece of response as AsyncIterable<Buffer>) {
      bytes += piece.length
      if (bytes > mostBytes) break
      pieces.push(piece)
    }
  } catch (cause) {
    throw unreached(url, signal, cause)
  }
  if (bytes > mostBytes) throw new AcmeProblem(`${url.host} answers with more than ${mostBytes} bytes`)
  return Buffer.concat(pieces).toString()
}

function parse(text: string, url: URL): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new AcmeProblem(`${url.host} does not answer as an ACME server does`, { cause })
  }
}

function unreached(url: URL, signal: AbortSignal, cause: unknown): unknown {
  if (signal.aborted) return signal.reason
  const { code, name, message } = cause as NodeJS.ErrnoException
  const why = name === 'TimeoutError' || name === 'AbortError' ? `no answer in ${answerMs / 1000} s` : message
  return new AcmeProblem(`${url.host} is not reached: ${why || code}`, { isUnreached: true, cause })
}
