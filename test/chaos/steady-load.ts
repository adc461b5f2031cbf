import { Agent } from 'node:http'
import { ask } from '../support/load.ts'

export interface Seen {
  requests: number
  /** Not answered, or answered with 5xx: what and how often. */
  failures: Record<string, number>
  /** The longest time in which no request was answered well, or that one took, ms. */
  longestStallMs: number
  /** Bodies seen. */
  bodies: Set<string>
}

const everyMs = 10
const mostOpen = 400

/**
 * Sends a request each 10 ms whatever became of those before, so that what fails says how long nobody was served; every
 * second one on a connection of its own.
 */
export function startSteadyLoad({ port, host }: { port: number; host: string }): { stop(): Promise<Seen> } {
  const agent = new Agent({ keepAlive: true, maxSockets: 8 })
  const seen: Seen = { requests: 0, failures: {}, longestStallMs: 0, bodies: new Set() }
  const open = new Set<Promise<void>>()
  let lastGood = performance.now()
  const fail = (why: string) => (seen.failures[why] = (seen.failures[why] ?? 0) + 1)
  const stalled = (since: number) => {
    seen.longestStallMs = Math.max(seen.longestStallMs, performance.now() - since)
  }
  const send = async (number: number) => {
    const began = performance.now()
    try {
      const { status, body } = await ask({ port, host, ...(number % 2 === 0 && { agent }) })
      if (status >= 500) fail(`answered ${status}`)
      else {
        seen.bodies.add(body)
        stalled(lastGood)
        lastGood = performance.now()
      }
    } catch (error) {
      fail((error as NodeJS.ErrnoException).code ?? String(error))
    }
    stalled(began)
  }
  const timer = setInterval(() => {
    // More than this many wait for an answer: one more would measure this program.
    if (open.size >= mostOpen) return
    const sent = send(seen.requests++).finally(() => open.delete(sent))
    open.add(sent)
  }, everyMs)
  return {
    async stop() {
      clearInterval(timer)
      await Promise.all(open)
      stalled(lastGood)
      agent.destroy()
      return seen
    },
  }
}
