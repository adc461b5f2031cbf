import { connect } from 'node:net'
import { abortable, DeadlineError, startDeadline } from '../../../lib/deadline.ts'

// Not imported, which would load far more: see `client.ts`.
const { request } = process.getBuiltinModule('node:http')

/** What a probe saw; `answered` is false when nothing listened or nothing came back. */
export interface ProbeResult {
  isGood: boolean
  answered: boolean
  text: string
}

export interface ProbeTarget {
  address: string
  port: number
  /** An HTTP path that must answer 2xx or 3xx; null is a connect. */
  path: string | null
  timeoutMs: number
}

/** Asks a copy once, as the router will. Rejects only when the caller's signal ends. */
export async function probeCopy(target: ProbeTarget, signal: AbortSignal): Promise<ProbeResult> {
  using deadline = startDeadline({ deadlineMs: target.timeoutMs, what: 'an answer', signal })
  try {
    return target.path === null
      ? await tryConnect(target, deadline.signal)
      : await tryGet(target, target.path, deadline.signal)
  } catch (error) {
    signal.throwIfAborted()
    return { isGood: false, answered: false, text: failureText(target, error) }
  }
}

async function tryConnect({ address, port }: ProbeTarget, signal: AbortSignal): Promise<ProbeResult> {
  const socket = connect({ host: address, port })
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  socket.once('connect', resolve)
  socket.once('error', reject)
  try {
    await abortable(promise, signal)
    return { isGood: true, answered: true, text: `connected to ${port}` }
  } finally {
    socket.destroy()
  }
}

async function tryGet(
  { address, port }: ProbeTarget,
  path: string,
  signal: AbortSignal,
): Promise<ProbeResult> {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  const headers = { Host: `${address}:${port}`, 'User-Agent': 'rack-health', Connection: 'close' }
  const sent = request({ host: address, port, path, headers, agent: false }, (response) => {
    response.destroy()
    resolve(response.statusCode ?? 0)
  })
  sent.on('error', reject)
  sent.end()
  try {
    const status = await abortable(promise, signal)
    return {
      isGood: status >= 200 && status < 400,
      answered: true,
      text: `GET ${path} on ${port} answered ${status}`,
    }
  } finally {
    sent.destroy()
  }
}

function failureText({ port, path, timeoutMs }: ProbeTarget, error: unknown): string {
  const what = path === null ? '' : `GET ${path}: `
  if (error instanceof DeadlineError) return `${what}no answer on ${port} within ${timeoutMs} ms`
  const { code } = error as NodeJS.ErrnoException
  if (code === 'ECONNREFUSED') return `${what}connection refused on ${port}`
  if (code === 'EHOSTUNREACH' || code === 'ENETUNREACH') return `${what}no route to the process on ${port}`
  return `${what}connection on ${port} broke (${code ?? 'unknown'})`
}
