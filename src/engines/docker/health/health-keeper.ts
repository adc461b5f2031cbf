import { EventEmitter, on } from 'node:events'
import { RackError } from '../../../domain/error.ts'
import { ownerKey, readOwnerKey } from '../../../domain/owner.ts'
import { pause } from '../../../lib/poll.ts'
import { mapBounded } from '../../../lib/semaphore.ts'
import { inspectCopy, listContainers } from '../containers/found-copy.ts'
import type { EngineParts, HealthKeeper } from '../parts.ts'

type Signalled = { signal: AbortSignal }

/** How often the checks are looked at: the router's own come no more often. */
const periodMs = 2000

/** Makes one health of a copy out of two checks; nothing is looked at before it is to be kept. */
export function createHealthKeeper(parts: () => EngineParts): HealthKeeper {
  const news = new EventEmitter().setMaxListeners(0)
  let down: ReadonlySet<string> = new Set()
  let rested: ReadonlySet<string> = new Set()
  const look = async (control: Signalled) => {
    const found = await downByApp(parts(), control)
    const now = new Set([...found.values()].flatMap((ids) => [...ids]))
    const changed = [...now.symmetricDifference(down)]
    down = now
    for (const id of changed) parts().names.note(id, now.has(id) ? 'unwell' : 'up', 'router')
    if (changed.length > 0) for (const app of await appsOf(parts(), changed)) news.emit('change', app)
    rested = await restUnhealthy(parts(), rested, control)
  }
  return {
    isDown: (processId) => down.has(processId),
    async keep(control) {
      while (!control.signal.aborted) {
        await look(control).catch((error: unknown) => {
          // A router or an engine that is away has nobody to set aside, and is told of by others.
          if (!control.signal.aborted && !(error instanceof RackError)) parts().onTrouble(error)
        })
        await pause(periodMs, control.signal).catch(() => undefined)
      }
    },
    async *changes({ signal }) {
      const heard = on(news, 'change', { signal }) as AsyncIterable<[string]>
      for await (const [app] of heard) yield readOwnerKey(app)
    },
  }
}

async function downByApp({ router }: EngineParts, { signal }: Signalled): Promise<Map<string, Set<string>>> {
  return await router.down({ signal, report: () => undefined })
}

/** The keys of the owners that the router has these copies of. */
async function appsOf({ router }: EngineParts, processes: string[]): Promise<string[]> {
  const table = await router.routes()
  return table
    .filter(({ http, tcp }) =>
      [...http, ...tcp].some(({ backend }) =>
        backend.servers.some((server) => processes.includes(server.process)),
      ),
    )
    .map(({ app }) => app)
}

/**
 * Sets aside the copies whose own check fails, and takes back those whose check does not any more.
 * @returns the owners, by key, that have such copies now
 */
async function restUnhealthy(
  parts: EngineParts,
  before: ReadonlySet<string>,
  { signal }: Signalled,
): Promise<ReadonlySet<string>> {
  const { docker, rack, router } = parts
  const listed = await listContainers(docker, rack, {}, { signal }, { health: ['unhealthy'] })
  const found = await mapBounded(
    listed,
    8,
    async ({ Id }) => await inspectCopy(docker, Id, { signal }),
    signal,
  )
  const unhealthy = found.filter((copy) => copy?.health === 'unhealthy' && copy.mark === 'proved')
  const byApp = Map.groupBy(
    unhealthy.filter((copy) => copy !== null),
    ({ owner }) => ownerKey(owner),
  )
  for (const app of new Set([...before, ...byApp.keys()])) {
    const ids = new Set((byApp.get(app) ?? []).map((copy) => copy.process))
    await router.rest(app, ids, { signal, report: () => undefined })
  }
  return new Set(byApp.keys())
}
