import { admitAgain, type Admission } from '../domain/admission.ts'
import { describeResources, describeUnplaced } from '../domain/describe-resources.ts'
import type { Control } from '../domain/control.ts'
import type { Engine } from '../domain/engine.ts'
import { RackError } from '../domain/error.ts'
import { readOwnerKey } from '../domain/owner.ts'
import type { Operation } from '../domain/operation.ts'
import {
  addResources,
  amountsOf,
  combineResources,
  heldBy,
  noResources,
  reserveBesides,
  sumOf,
  tellHolders,
  type Capacity,
  type Holder,
  type Resources,
} from '../domain/rack.ts'
import type { OperationStore } from '../domain/stores/work-stores.ts'
import { createSemaphore } from '../lib/semaphore.ts'

/**
 * Lets changes into the rack one question at a time: what was admitted and has not started its copies yet is counted
 * as taken, so that two changes never share the same room. What the open rows of the journal reserve counts too, so
 * that nobody takes the room of a change that a dead daemon has left. An `app` here is the key of any owner.
 */
export interface AdmissionControl {
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
  ): Promise<AdmittedRoom>
  /**
   * Admits what was admitted before its daemon died, at the size that its row reserves: the rack may have become
   * smaller since.
   * @throws capacity with `details: Admission`
   */
  readmit(operation: Operation, control: Control): Promise<Disposable>
  /** Holds, unasked, the room of what is live and may not run yet. */
  hold(app: string, live: Resources): Disposable
}

export interface Room extends Disposable {
  /** All that the app may hold at the change's busiest moment. */
  peak: Resources
}

/** Room that was asked for, with the answer. */
export interface AdmittedRoom extends Room {
  admission: Admission
}

interface Held {
  app: string
  peak: Resources
  /** Of what is there already, by its row or as what is live, and not of a question that was answered here. */
  isStanding: boolean
}

type Parts = { engine: Pick<Engine, 'capacity'>; journal: Pick<OperationStore, 'running'> }

export function createAdmissionControl({ engine, journal }: Parts): AdmissionControl {
  const held = new Set<Held>()
  const door = createSemaphore(1)

  /** Leaves out what stands for `except`: it asks for that room itself. */
  const capacity = async (control: Control, except?: string): Promise<Capacity> => {
    // The rows first: a change that ends in between is counted by its copies.
    const rows = (await journal.running()).flatMap(standingOf)
    const present = await engine.capacity(control)
    const counted = [...held, ...rows].filter(({ app, isStanding }) => !(isStanding && app === except))
    const pending = [...Map.groupBy(counted, ({ app }) => app)].flatMap(([app, entries]) => {
      const each = beyond(highest(entries), sumHeld(present, app))
      const isNothing = amountsOf(each).every((amount) => amount === 0)
      return isNothing ? [] : [startingIn(app, each)]
    })
    return reserveBesides(present, pending)
  }
  const hold = (entry: Held): Room => {
    held.add(entry)
    return { peak: entry.peak, [Symbol.dispose]: () => void held.delete(entry) }
  }

  return {
    capacity: (control) => capacity(control),
    async admit(app, what, ask, control) {
      return door.run(async () => {
        const present = await capacity(control)
        const admission = ask(present)
        if (!admission.fits) throw capacityError(what, admission)
        const peak = addResources(sumHeld(present, app), admission.needs)
        return { ...hold({ app, peak, isStanding: false }), admission }
      }, control.signal)
    },
    async readmit({ app, kind, intent: { reserved } }, control) {
      // A row of an earlier version says nothing.
      if (!reserved) return hold({ app, peak: noResources, isStanding: true })
      return door.run(async () => {
        const present = await capacity(control, app)
        const admission = admitAgain(`(${kind})`, beyond(reserved, sumHeld(present, app)), present)
        if (!admission.fits) throw capacityError(`the ${kind} of ${app}`, admission)
        return hold({ app, peak: reserved, isStanding: true })
      }, control.signal)
    },
    hold: (app, peak) => hold({ app, peak, isStanding: true }),
  }
}

function standingOf({ app, intent: { reserved } }: Operation): Held[] {
  return reserved ? [{ app, peak: reserved, isStanding: true }] : []
}

function beyond(peak: Resources, present: Resources): Resources {
  return combineResources(peak, present, (most, held) => Math.max(0, most - held))
}

/** Each peak was counted on top of those before it, so the highest holds them all. */
function highest(entries: Held[]): Resources {
  return entries.reduce((most, { peak }) => combineResources(most, peak, Math.max), noResources)
}

/** What an app is about to start. */
function startingIn(app: string, each: Resources): Holder {
  return { owner: readOwnerKey(app), type: '(starting)', kind: 'one-off', count: 1, each }
}

function sumHeld(capacity: Capacity, app: string): Resources {
  return sumOf(heldBy(capacity, readOwnerKey(app)))
}

function capacityError(what: string, asked: Admission): RackError {
  const admission = tellHolders(asked)
  const { needs, free, total, short, unplaced } = admission
  const holders = admission.holders.slice(0, 5).map(({ app, type, count, each }) => {
    const sum = addResources(noResources, each, count)
    return `  ${app}/${type} ×${count}: ${describeResources(sum)}`
  })
  const lacking = unplaced.length > 0 ? '' : `: short of ${describeResources(short)}`
  const lines = [
    `${what} does not fit this rack`,
    ...admission.demands.map(({ type, each, peak, held }) => {
      return `  ${type}: ${peak} × (${describeResources(each)}) at the busiest moment, ${held} held already`
    }),
    `needs ${describeResources(needs)} more, free ${describeResources(free)} of ${describeResources(total)}${lacking}`,
    ...describeUnplaced(unplaced),
    ...(holders.length > 0 ? ['held by', ...holders] : []),
  ]
  return new RackError('capacity', lines.join('\n'), {
    hint: 'Lower a count or a limit (rack scale), remove an app, or see what fits: rack capacity --if TYPE=COUNT',
    details: admission,
  })
}
