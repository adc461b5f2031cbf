import { readChallenge, type Challenge } from './challenge.ts'
import { addressOf } from './place.ts'
import { registryErrorOf, RegistryError } from './registry-error.ts'

/** Who is asking a registry. */
export interface Account {
  username: string
  password: string
}

export interface RegistryOptions {
  /** As names of images have it. */
  host: string
  /** Asked for again when the registry takes it not any more; null for who has no login. */
  account: (signal: AbortSignal) => Promise<Account | null>
  /** How long it may be silent before it counts as not answering; a minute when absent. */
  patienceMs?: number
}

export interface RegistryRequest {
  method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH'
  /** Below `/v2/`, or whole, as a `Location` says it. */
  path: string
  /** What is to be done in which repository, of a token's scope; empty for whether one may enter at all. */
  repository: string
  access: 'pull' | 'pull,push'
  headers?: Record<string, string>
  body?: string | Uint8Array | AsyncIterable<Uint8Array>
  /** Statuses that are answers; all from 200 to 299 when absent. */
  accepts?: number[]
}

/** One registry by the distribution API; a request shows who asks as the registry wants it. */
export interface Registry {
  host: string
  /** @throws RegistryError for an answer that is none of the accepted; what fetch throws */
  ask(request: RegistryRequest, signal: AbortSignal): Promise<Response>
}

/** @see https://distribution.github.io/distribution/spec/api/ */
export function createRegistry(options: RegistryOptions): Registry {
  const base = addressOf(options.host)
  const shown = new Map<string, string>()
  const ask = async (request: RegistryRequest, signal: AbortSignal): Promise<Response> => {
    const scope = request.repository === '' ? '' : `repository:${request.repository}:${request.access}`
    const what = `${options.host}/${request.repository}`
    const known = shown.get(scope)
    const first = await send(base, request, { shown: known, ...options }, signal)
    // Of a login that has ended ECR says 403, and not how to log in (D): that it says to who shows none.
    if (first.status === 403 && known !== undefined && !isStream(request.body)) {
      shown.delete(scope)
      await first.body?.cancel()
      return await ask(request, signal)
    }
    if (first.status !== 401) return await accepted(first, request, what)
    const challenge = readChallenge(first.headers.get('www-authenticate') ?? '')
    await first.body?.cancel()
    if (!challenge)
      throw new RegistryError(`${what}: it asks for a login in a way that is not known here`, 401)
    shown.set(scope, await authorization(challenge, scope, options, signal))
    // What streams in has been read by now; the request that began its upload was let in just before.
    if (isStream(request.body)) throw new RegistryError(`${what}: a login ended within an upload`, 401)
    const again = await send(base, request, { shown: shown.get(scope), ...options }, signal)
    return await accepted(again, request, what)
  }
  return { host: options.host, ask }
}

function isStream(body: RegistryRequest['body']): boolean {
  return body !== undefined && typeof body !== 'string' && !(body instanceof Uint8Array)
}

async function accepted(response: Response, { accepts }: RegistryRequest, what: string): Promise<Response> {
  if (accepts ? accepts.includes(response.status) : response.ok) return response
  throw await registryErrorOf(response, what)
}

async function send(
  base: string,
  { method = 'GET', path, headers = {}, body }: RegistryRequest,
  { shown, patienceMs = 60_000 }: { shown: string | undefined; patienceMs?: number },
  signal: AbortSignal,
): Promise<Response> {
  const isWhole = /^https?:/.test(path)
  const url = isWhole || path.startsWith('/') ? new URL(path, base) : new URL(`/v2/${path}`, base)
  const patience = new AbortController()
  // An upload takes as long as it takes.
  const timer = isStream(body)
    ? undefined
    : setTimeout(() => patience.abort(silent(url, patienceMs)), patienceMs)
  try {
    return await fetch(url, {
      method,
      headers: { ...headers, ...(shown && { authorization: shown }) },
      ...(body !== undefined && { body: body as RequestInit['body'] }),
      ...(isStream(body) && { duplex: 'half' }),
      signal: AbortSignal.any([signal, patience.signal]),
    })
  } finally {
    clearTimeout(timer)
  }
}

function silent({ host }: URL, patienceMs: number): RegistryError {
  return new RegistryError(`${host} did not answer in ${patienceMs / 1000} s`, 504)
}

async function authorization(
  challenge: Challenge,
  scope: string,
  options: RegistryOptions,
  signal: AbortSignal,
): Promise<string> {
  const account = await options.account(signal)
  const basic =
    account && `Basic ${Buffer.from(`${account.username}:${account.password}`).toString('base64')}`
  if (challenge.scheme === 'basic') {
    if (!basic) throw new RegistryError(`${options.host}: authentication required`, 401, 'UNAUTHORIZED')
    return basic
  }
  const url = new URL(challenge.realm)
  if (challenge.service !== null) url.searchParams.set('service', challenge.service)
  const asked = challenge.scope ?? scope
  if (asked !== '') url.searchParams.set('scope', asked)
  const waits = AbortSignal.timeout(options.patienceMs ?? 60_000)
  const response = await fetch(url, {
    headers: basic ? { authorization: basic } : {},
    signal: AbortSignal.any([signal, waits]),
  })
  if (!response.ok) throw await registryErrorOf(response, options.host)
  const given = (await response.json()) as { token?: string; access_token?: string }
  return `Bearer ${given.token ?? given.access_token ?? ''}`
}
