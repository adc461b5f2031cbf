import { createDockerRuntime as createRuntime } from '../../src/engines/docker/deploy/docker-runtime.ts'
import type { Runtime } from '../../src/rollout/runtime.ts'
import { noteCall, ordersVariable, readOrder, type DeathPoint, type Order } from './orders.ts'

const directory = process.env[ordersVariable] ?? ''
let current: Order | null = null
let counts = new Map<string, number>()

/** The runtime of a daemon that ends itself by SIGKILL at the verb that its order names. */
export function createDockerRuntime(...given: Parameters<typeof createRuntime>): Runtime {
  const runtime = createRuntime(...given)
  const order = readOrder(directory)
  if (order?.id !== current?.id) counts = new Map()
  current = order
  return order ? obeying(runtime, order.point) : runtime
}

/** One count over all rollouts of an order, since an undo is one of its own. */
function obeying(runtime: Runtime, point: DeathPoint | null): Runtime {
  return new Proxy(runtime, {
    get(target, name, receiver) {
      const value: unknown = Reflect.get(target, name, receiver)
      if (typeof value !== 'function' || typeof name !== 'string' || name === 'identify') return value
      return async (...args: unknown[]): Promise<unknown> => {
        const nth = (counts.get(name) ?? 0) + 1
        counts.set(name, nth)
        noteCall(directory, name)
        const isHere = point?.verb === name && point.nth === nth
        if (isHere && point.when === 'before') process.kill(process.pid, 'SIGKILL')
        const result: unknown = await (value as (...all: unknown[]) => unknown).apply(target, args)
        if (isHere) process.kill(process.pid, 'SIGKILL')
        return result
      }
    },
  })
}
