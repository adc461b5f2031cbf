import type { Control } from '../../domain/control.ts'
import { addResources, noResources } from '../../domain/rack.ts'
import { createSemaphore } from '../../lib/semaphore.ts'
import type { Context } from '../context.ts'
import { livePlanOf } from '../read-release.ts'
import { sweepObjects } from '../sweep-objects.ts'
import { takeInRestored } from '../rack-backup/take-in.ts'
import { recoverServices } from '../services/recover-services.ts'
import { sweepVolumes } from '../volume-data/sweep-volumes.ts'
import { createAttempts, type Attempts } from './attempts.ts'
import { recoverApp } from './recover-app.ts'
import { buildTurn } from './start-operation.ts'

/** A host that comes up is busy; and an app whose copies never get healthy must not keep the others down. */
const mostAppsAtOnce = 8

/**
 * Takes up what a dead daemon left: every open row of the journal is finished or undone, then the app's live plan is
 * brought about again; apps side by side, so that none waits for another. Failures are logged. To be called after a
 * start, and whenever the engine comes back.
 * @returns false when something failed: to be called again
 */
export async function recover(context: Context, control: Control): Promise<boolean> {
  const attempts = createAttempts(context, control)
  // Nothing runs before it has its data.
  await attempts.run('take in what a backup held', () => takeInRestored(context, control))
  if (!attempts.haveAllSucceeded()) return false
  await attempts.run('end lost builds', () => failLostBuilds(context, control))
  const left = Map.groupBy(await context.store.operations.running(), ({ app }) => app)
  const names = (await context.store.apps.list()).map(({ name }) => name)
  const bound = createSemaphore(mostAppsAtOnce)
  // All of them before the first is brought back: nobody else gets the room of those that come later.
  const rooms = await holdLive(context, names, attempts)
  const apps = [...new Set([...names, ...left.keys()])]
  await Promise.all([
    recoverServices(context, attempts, control),
    ...apps.map(async (app) => {
      using _room = rooms.get(app)
      await recoverApp(context, { app, left: left.get(app) ?? [], attempts, bound }, control)
    }),
  ])
  await attempts.run('sweep uploads and logs that no build has', () => sweepObjects(context))
  await attempts.run('drop volumes that are not mounted any more', () => sweepVolumes(context, control))
  return attempts.haveAllSucceeded()
}

/** The room that each live plan takes when all of it runs. */
async function holdLive(
  context: Context,
  apps: string[],
  attempts: Attempts,
): Promise<Map<string, Disposable>> {
  const rooms = new Map<string, Disposable>()
  for (const app of apps) {
    await attempts.run(`read what is live of ${app}`, async () => {
      const processes = (await livePlanOf(context, app))?.processes ?? []
      const live = processes.reduce(
        (sum, processPlan) => addResources(sum, processPlan, processPlan.count),
        noResources,
      )
      rooms.set(app, context.admission.hold(app, live))
    })
  }
  return rooms
}

/** A crash between a build and its row leaves a build that nothing would ever end. */
async function failLostBuilds({ store, turns }: Context, control: Control): Promise<void> {
  const unfinished = ['created', 'running'] as const
  for (const { app, id } of await store.builds.inStatus([...unfinished])) {
    await turns.run(buildTurn(app), control.signal, async () => {
      const hasRow = (await store.operations.running()).some(({ intent }) => intent.build === id)
      const status = (await store.builds.get(app, id))?.status
      const isLost = !hasRow && (status === 'created' || status === 'running')
      if (isLost) await store.builds.fail(id, 'the daemon ended before it began')
    })
  }
}
