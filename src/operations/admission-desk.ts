import type { Admission } from '../domain/admission.ts'
import type { Control } from '../domain/control.ts'
import type { Engine } from '../domain/engine.ts'
import { RackError } from '../domain/error.ts'
import { addResources, capacityOf, noResources, type Capacity, type Resources } from '../domain/rack.ts'
import { formatBytes } from '../lib/sizes.ts'
import { createSemaphore } from '../lib/semaphore.ts'

/**
 * Lets changes into the rack one question at a time: what was admitted and has not started its copies yet is counted
 * as taken, so that two changes never share the same room.
 */
export interface AdmissionDesk {
  /** What the engine holds, and what was admitted beyond it. */
  capacity(control: Control): Promise<Capacity>
  /**
   * Asks, and on a yes holds the room until disposed.
   * @throws capacity with `details: Admission`
   */
  admit(
    app: string,
    what: string,
    ask: (capacity: Capacity) => Admission,
    control: Control,
  ): Promise<Disposable>
}

interface Held {
  app: string
  /** All that the app may hold at the change's busiest moment. */
  peak: Resources
}

export function createAdmissionDesk(engine: Pick<Engine, 'capacity'>): AdmissionDesk {
  const held = new Set<Held>()
  const door = createSemaphore(1)

  const capacity = async (control: Control): Promise<Capacity> => {
    const present = await engine.capacity(control)
    const pending = [...Map.groupBy(held, ({ app }) => app)].flatMap(([app, entries]) => {
      const rest = addResources(highest(entries), heldBy(present, app), -1)
      const each = { cpuUnits: Math.max(0, rest.cpuUnits), memoryBytes: Math.max(0, rest.memoryBytes) }
      const isNothing = each.cpuUnits === 0 && each.memoryBytes === 0
      return isNothing ? [] : [{ app, type: '(starting)', kind: 'one-off' as const, count: 1, each }]
    })
    return capacityOf(present.total, [...present.holders, ...pending], present.instances)
  }

  return {
    capacity,
    async admit(app, what, ask, control) {
      return door.run(async () => {
        const present = await capacity(control)
        const admission = ask(present)
        if (!admission.fits) throw capacityError(what, admission)
        const entry = { app, peak: addResources(heldBy(present, app), admission.needs) }
        held.add(entry)
        return { [Symbol.dispose]: () => void held.delete(entry) }
      }, control.signal)
    },
  }
}

/** Each peak was counted on top of those before it, so the highest holds them all. */
function highest(entries: Held[]): Resources {
  return {
    cpuUnits: Math.max(...entries.map(({ peak }) => peak.cpuUnits)),
    memoryBytes: Math.max(...entries.map(({ peak }) => peak.memoryBytes)),
  }
}

function heldBy(capacity: Capacity, app: string): Resources {
  const own = capacity.holders.filter((holder) => holder.app === app)
  return own.reduce((sum, { each, count }) => addResources(sum, each, count), noResources)
}

function capacityError(what: string, admission: Admission): RackError {
  const { needs, free, total, short } = admission
  const holders = admission.holders.slice(0, 5).map(({ app, type, count, each }) => {
    const sum = addResources(noResources, each, count)
    return `  ${app}/${type} ×${count}: ${describe(sum)}`
  })
  const lines = [
    `${what} does not fit this rack`,
    ...admission.demands.map(({ type, each, peak, held }) => {
      return `  ${type}: ${peak} × (${describe(each)}) at the busiest moment, ${held} held already`
    }),
    `needs ${describe(needs)} more, free ${describe(free)} of ${describe(total)}: short of ${describe(short)}`,
    ...(holders.length > 0 ? ['held by', ...holders] : []),
  ]
  return new RackError('capacity', lines.join('\n'), {
    hint: 'Lower a count or a limit (rack scale), remove an app, or see what fits: rack capacity --if TYPE=COUNT',
    details: admission,
  })
}

function describe({ cpuUnits, memoryBytes }: Resources): string {
  return `${cpuUnits} cpu units and ${formatBytes(memoryBytes)}`
}
