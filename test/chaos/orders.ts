import { appendFileSync, readFileSync } from 'node:fs'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { killPoints } from '../support/kill-points.ts'

/** A verb of the runtime at which a daemon kills itself: before it does anything, or when it has done all. */
export interface DeathPoint {
  verb: string
  /** Which of its calls since the order was given, counted from 1. */
  nth: number
  when: 'before' | 'after'
}

/** What a daemon is told; without a point it only writes down what it calls. */
export interface Order {
  id: number
  point: DeathPoint | null
}

/** Where a daemon finds the folder of its orders. */
export const ordersVariable = 'RACK_CHAOS_ORDERS'

const orderFile = (directory: string) => join(directory, 'order.json')
const callsFile = (directory: string) => join(directory, 'calls')

/** The side of who runs the chaos. */
export interface Orders {
  give(point: DeathPoint | null): Promise<void>
  withdraw(): Promise<void>
  /** What was called since the last order. */
  calls(): Promise<string[]>
}

export function createOrders(directory: string): Orders {
  let id = 0
  return {
    async give(point) {
      await writeFile(callsFile(directory), '')
      const order: Order = { id: ++id, point }
      await writeFile(orderFile(directory), JSON.stringify(order))
    },
    withdraw: () => rm(orderFile(directory), { force: true }),
    calls: async () => (await readFile(callsFile(directory), 'utf8')).split('\n').filter(Boolean),
  }
}

/** The daemon's side: at once, so that nothing happens between the order and what it is about. */
export function readOrder(directory: string): Order | null {
  try {
    return JSON.parse(readFileSync(orderFile(directory), 'utf8')) as Order
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

export function noteCall(directory: string, verb: string): void {
  appendFileSync(callsFile(directory), `${verb}\n`)
}

/** So many of the points of a run, evenly over all of it; how often something is probed differs from run to run. */
export function samplePoints(calls: string[], count: number): DeathPoint[] {
  const counts = new Map<string, number>()
  const named = calls.map((verb) => {
    counts.set(verb, (counts.get(verb) ?? 0) + 1)
    return { verb, nth: counts.get(verb)! }
  })
  const points = killPoints(calls)
    .map(({ at, when }) => ({ ...named[at]!, when }))
    .filter(({ verb, nth }) => verb !== 'probe' || nth <= 2)
  const step = Math.max(1, points.length / count)
  const picked = Array.from({ length: Math.min(count, points.length) }, (_, index) =>
    Math.floor((index + 0.5) * step),
  )
  return picked.map((index) => points[index]!)
}
