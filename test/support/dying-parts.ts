import type { Engine } from '../../src/domain/engine.ts'
import type { Objects } from '../../src/domain/objects.ts'
import type { Store } from '../../src/domain/store.ts'

/** What a daemon changes things by, until it is killed. */
export interface DyingParts {
  store: Store
  objects: Objects
  engine: Engine
  /** What was called, in order; the last is where it died. */
  calls: string[]
}

/** What a dead daemon meets at every further step. */
class Died extends Error {
  override name = 'Died'
}

/**
 * Lets the first `steps` calls of a daemon happen and none after them, as a SIGKILL between two would. What a dead
 * daemon's code still tries (to close a row, to clear up) fails, so nothing of it reaches the disk.
 */
export function dieAfter(parts: Omit<DyingParts, 'calls'>, steps: number): DyingParts {
  const calls: string[] = []
  const step = (name: string) => {
    if (calls.length >= steps) throw new Died(`died before ${name}`)
    calls.push(name)
  }
  return {
    store: dyingNouns(parts.store, step),
    objects: dying('objects', parts.objects, step),
    engine: dying('engine', parts.engine, step),
    calls,
  }
}

function dyingNouns(store: Store, step: (name: string) => void): Store {
  const nouns = Object.entries(store).map(([noun, value]) => [
    noun,
    // To seal touches nothing.
    typeof value === 'object' && noun !== 'sealing' ? dying(noun, value as object, step) : value,
  ])
  return Object.fromEntries(nouns) as Store
}

/** All else answers with a promise, which is what rejects. */
const answersAtOnce = new Set(['objects.get', 'objects.list', 'events.listen', 'engine.logs', 'engine.watch'])

function dying<T extends object>(noun: string, target: T, step: (name: string) => void): T {
  return new Proxy(target, {
    get(object, name, receiver) {
      const value: unknown = Reflect.get(object, name, receiver)
      // Addresses and names of images are worked out, and touch nothing.
      if (typeof value !== 'function' || name === 'endpoints' || name === 'calledHere') return value
      return (...args: unknown[]) => {
        const called = `${noun}.${String(name)}`
        if (answersAtOnce.has(called)) {
          step(called)
          return Reflect.apply(value, object, args) as unknown
        }
        return stepThen(called, () => Reflect.apply(value, object, args) as unknown)
      }
    },
  })

  async function stepThen(called: string, work: () => unknown): Promise<unknown> {
    step(called)
    return await work()
  }
}
