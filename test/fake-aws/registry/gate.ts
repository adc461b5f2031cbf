import { createServer, request as ask, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pipeline } from 'node:stream/promises'
import type { RepositoryBook } from './start-registry.ts'

export interface GateOptions {
  /** `HOST:PORT` of the registry behind it. */
  inner: string
  book: RepositoryBook
  /** Null for one that was never given. */
  stateOf(password: string): 'valid' | 'expired' | null
  onTrouble(error: unknown): void
}

export interface Gate extends AsyncDisposable {
  host: string
  asked: string[]
}

interface Asked {
  repository: string
  kind: 'manifests' | 'blobs'
  reference: string
}

/** In front of a registry: who may enter, and which repositories and manifests the account has. */
export async function startGate(options: GateOptions): Promise<Gate> {
  const asked: string[] = []
  const server = createServer((incoming, response) => {
    asked.push(`${incoming.method} ${incoming.url}`)
    pass(options, incoming, response).catch((error: NodeJS.ErrnoException) => {
      // Who asked has gone.
      if (error.code !== 'ERR_STREAM_PREMATURE_CLOSE' && error.code !== 'ECONNRESET') options.onTrouble(error)
      response.destroy()
    })
  })
  const { promise, resolve } = Promise.withResolvers<void>()
  server.listen(0, '127.0.0.1', resolve)
  await promise
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((closed) => server.close(closed))
    },
  }
}

async function pass(
  options: GateOptions,
  incoming: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const login = loginOf(options, incoming.headers.authorization ?? '')
  // D: reports of 2016-08-02 and 2023-11-22 to its credential helper.
  if (login === 'expired') {
    const message = 'Your authorization token has expired. Reauthenticate and try again.'
    return refuse(response, 403, 'DENIED', message)
  }
  // V of Docker's side; D: ECR asks for Basic, user AWS.
  if (login === null) {
    response.setHeader('www-authenticate', 'Basic realm="https://fake/",service="ecr.amazonaws.com"')
    return refuse(response, 401, 'UNAUTHORIZED', 'Not Authorized')
  }
  const what = readPath(incoming.url ?? '')
  if (!what) return void (await forward(options, incoming, response, incoming.url ?? '/'))
  const { book } = options
  // D: a repository is made first, never by a push.
  if (!book.hasRepository(what.repository)) {
    const message = `The repository with name '${what.repository}' does not exist in the registry`
    return refuse(response, 404, 'NAME_UNKNOWN', message)
  }
  if (what.kind === 'blobs' || incoming.method === 'PUT') {
    const put = await forward(options, incoming, response, incoming.url ?? '/')
    if (what.kind === 'manifests' && put.status === 201) {
      const tag = what.reference.startsWith('sha256:') ? null : what.reference
      book.pushed(what.repository, { digest: put.digest, tag })
    }
    return
  }
  const digest = book.digestOf(what.repository, what.reference)
  if (digest === null) return refuse(response, 404, 'MANIFEST_UNKNOWN', 'Requested image not found')
  await forward(options, incoming, response, `/v2/${what.repository}/manifests/${digest}`)
}

function readPath(url: string): Asked | null {
  const [, repository, kind, reference] = /^\/v2\/(.+)\/(manifests|blobs)\/([^?]*)/.exec(url) ?? []
  return repository && kind ? { repository, kind: kind as Asked['kind'], reference: reference ?? '' } : null
}

function loginOf(options: GateOptions, authorization: string): ReturnType<GateOptions['stateOf']> {
  const text = Buffer.from(authorization.replace(/^Basic /, ''), 'base64').toString()
  return text.startsWith('AWS:') ? options.stateOf(text.slice(4)) : null
}

function refuse(response: ServerResponse, status: number, code: string, message: string): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ errors: [{ code, message }] }))
}

async function forward(
  { inner }: GateOptions,
  incoming: IncomingMessage,
  response: ServerResponse,
  path: string,
): Promise<{ status: number; digest: string }> {
  const { authorization: _who, ...headers } = incoming.headers
  const [hostname, port] = inner.split(':')
  const outgoing = ask({ hostname, port, method: incoming.method, path, headers })
  const answered = Promise.withResolvers<IncomingMessage>()
  outgoing.once('response', answered.resolve)
  outgoing.once('error', answered.reject)
  const sending = pipeline(incoming, outgoing)
  const answer = await Promise.race([answered.promise, sending.then(async () => await answered.promise)])
  // D: a report of 2021-08-31 to regclient, and others.
  const isFed = incoming.method === 'PATCH' && answer.statusCode === 202
  const status = isFed ? 201 : (answer.statusCode ?? 502)
  response.writeHead(status, answer.headers)
  await pipeline(answer, response)
  return { status, digest: String(answer.headers['docker-content-digest'] ?? '') }
}
