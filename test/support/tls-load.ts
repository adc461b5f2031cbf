import { request, type RequestOptions } from 'node:https'
import type { IncomingMessage } from 'node:http'
import type { TLSSocket } from 'node:tls'

export interface TlsLoad {
  /** Certificates that were shown so far. */
  fingerprints: ReadonlySet<string>
  stop(): Promise<{ requests: number; failures: string[] }>
}

const longestLoadMs = 120_000
const clients = 4

/** Asks this machine by TLS, with a connection for each request, until told to stop; believes one authority alone. */
export function startTlsLoad({ port, host, ca }: { port: number; host: string; ca: string }): TlsLoad {
  const options: RequestOptions = {
    host: '127.0.0.1',
    servername: host,
    headers: { host },
    port,
    ca,
    agent: false,
  }
  const fingerprints = new Set<string>()
  const failures: string[] = []
  const deadline = Date.now() + longestLoadMs
  const stopping = new AbortController()
  let requests = 0
  const askOnce = async () => {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
    request(options, resolve).on('error', reject).end()
    const response = await promise
    fingerprints.add((response.socket as TLSSocket).getPeerCertificate().fingerprint256)
    await response.toArray()
    if (response.statusCode !== 200) failures.push(String(response.statusCode))
  }
  const running = Promise.all(
    Array.from({ length: clients }, async () => {
      while (!stopping.signal.aborted && Date.now() < deadline) {
        requests += 1
        await askOnce().catch((error: Error) => failures.push(error.message))
      }
    }),
  )
  return {
    fingerprints,
    async stop() {
      stopping.abort()
      await running
      return { requests, failures }
    },
  }
}
