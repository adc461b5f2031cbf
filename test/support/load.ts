import { Agent, request } from 'node:http'

export interface LoadOptions {
  port: number
  host: string
  path?: string
  connections?: number
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

/** Sends requests over a fixed number of connections to this machine until told to stop, or for two minutes. */
export function startLoad({ port, host, path = '/', connections = 16 }: LoadOptions): {
  stop(): Promise<LoadResult>
} {
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  const result: LoadResult = { requests: 0, failures: {}, longestMs: 0, bodies: {} }
  const deadline = Date.now() + 120_000
  const stopping = new AbortController()
  const count = (table: Record<string, number>, key: string) => (table[key] = (table[key] ?? 0) + 1)

  const connect = async () => {
    while (!stopping.signal.aborted && Date.now() < deadline) {
      const started = performance.now()
      try {
        const { status, body } = await ask({ agent, port, host, path })
        if (status >= 500) count(result.failures, `answered ${status}`)
        if (body.length < 100) count(result.bodies, body)
      } catch (error) {
        count(result.failures, (error as NodeJS.ErrnoException).code ?? String(error))
      }
      result.requests++
      result.longestMs = Math.max(result.longestMs, performance.now() - started)
    }
  }
  const running = Promise.all(Array.from({ length: connections }, connect))
  return {
    async stop() {
      stopping.abort()
      await running
      agent.destroy()
      return result
    },
  }
}

export interface Question {
  port: number
  host: string
  path?: string
  method?: string
  body?: string
  headers?: Record<string, string>
  agent?: Agent
}

/** One request to this machine under a host name. */
export function ask({ port, host, path = '/', method = 'GET', body, headers, agent }: Question): Promise<{
  status: number
  body: string
}> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: string }>()
  const options = {
    host: '127.0.0.1',
    port,
    path,
    method,
    headers: { ...headers, host },
    ...(agent && { agent }),
  }
  const sent = request({ ...options, timeout: 20_000 }, (response) => {
    let text = ''
    response.setEncoding('utf8')
    response.on('data', (chunk: string) => (text += chunk))
    response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text }))
    response.on('error', reject)
  })
  sent.on('timeout', () => sent.destroy(new Error('no answer in 20 s')))
  sent.on('error', reject)
  sent.end(body)
  return promise
}
