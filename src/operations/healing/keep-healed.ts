import { desiredTypes } from '../../domain/app-health.ts'
import type { App } from '../../domain/app.ts'
import type { Control } from '../../domain/control.ts'
import { codeOf, knownError } from '../../domain/error.ts'
import { exclusiveKinds, type Operation } from '../../domain/operation.ts'
import { appOwner, isOfApp, ofApp } from '../../domain/owner.ts'
import type { AppProcess } from '../../domain/process.ts'
import { createSemaphore, type Semaphore } from '../../lib/semaphore.ts'
import type { Context } from '../context.ts'
import { isRestoring } from '../rack-backup/take-in.ts'
import { livePlanOf } from '../read-release.ts'
import { watchApps } from '../watch-apps.ts'
import { healApp } from './heal-app.ts'
import { noteCrashes, recallFirstMinutes } from './note-crashes.ts'
import type { Desired } from './health-board.ts'

/** A machine on which many apps have lost something is busy. */
const mostAppsAtOnce = 4
/** How long after a crash a copy is taken to run again. */
const crashingMs = 10_000
/** How soon an app is looked at again that is not to be touched now. */
const laterMs = 2000

/** One look at apps: `again` has one looked at later. */
interface Look {
  context: Context
  /** Apps that are being healed, or whose change is waited for. */
  busy: Set<string>
  bound: Semaphore
  again: (app: string, inMs: number) => void
}

/**
 * Compares what shall run with what runs, whenever the engine says that it may differ and now and then, and brings back
 * what is missing, until the signal ends.
 */
export async function keepHealed(context: Context, control: Control): Promise<void> {
  const [busy, bound] = [new Set<string>(), createSemaphore(mostAppsAtOnce)]
  const watcher = {
    failure: 'what shall run is not compared with what runs',
    look: async (app: string | null, again: Look['again'], own: Control) =>
      await lookAt({ context, busy, bound, again }, app, own),
  }
  await recallFirstMinutes(context)
  await watchApps(context, watcher, control)
}

async function lookAt(look: Look, app: string | null, control: Control): Promise<void> {
  const { context } = look
  const { store, engine, health } = context
  const apps = (await store.apps.list()).filter(({ name }) => app === null || name === app)
  if (app === null) health.keepOnly(apps.map(({ name }) => name))
  if (await isRestoring(context)) return apps.forEach(({ name }) => look.again(name, laterMs))
  // The changes first: what is read after the end of one is as it shall be.
  const changes = (await store.operations.running()).filter(({ kind }) => exclusiveKinds.has(kind))
  const found = await engine.processes({ ...(app !== null && { owner: appOwner(app) }), all: true }, control)
  const byApp = Map.groupBy(found.filter(isOfApp).map(ofApp), (copy) => copy.app)
  for (const each of apps) {
    const change = changes.find((operation) => operation.app === each.name)
    if (change) waitForEnd(look, change)
    else await compare(look, each, byApp.get(each.name) ?? [], control)
  }
}

/** What is there in the middle of a change says nothing. */
function waitForEnd({ context, busy, again }: Look, { id, app }: Operation): void {
  if (busy.has(app)) return
  if (!context.running.has(id)) return again(app, laterMs)
  busy.add(app)
  void context.running.ended(id).then(() => {
    busy.delete(app)
    again(app, 0)
  })
}

async function compare(look: Look, app: App, seen: AppProcess[], control: Control): Promise<void> {
  const { context, again } = look
  const { health, recovery } = context
  const desired = await desiredOf(context, app)
  if (!desired) return health.forget(app.name)
  const nowMs = context.now().getTime()
  health.note(app.name, desired, seen, nowMs)
  await noteCrashes(context, app.name, seen, control)
  const { types, nextMs } = health.due(app.name, nowMs)
  if (nextMs !== null) again(app.name, nextMs - nowMs)
  // A copy that has come through is told by no event.
  else if (seen.some(({ status }) => status === 'restarting')) again(app.name, crashingMs)
  if (types.length === 0) return
  if (recovery.waiting([app.name]).length > 0) return again(app.name, laterMs)
  healBehind(look, app.name, types, control)
}

/** What cannot be read keeps no other app from being healed. */
async function desiredOf(context: Context, { name, release }: App): Promise<Desired | null> {
  if (release === null) return null
  const known = context.health.desiredOf(name)
  const key = JSON.stringify([release, await context.store.formations.get(name)])
  if (known?.key === key) return known
  try {
    const plan = await livePlanOf(context, name)
    return plan && { key, types: desiredTypes(plan) }
  } catch (error) {
    const facts = { code: codeOf(error), reason: knownError(error).message }
    context.log('error', `what shall run of ${name} cannot be read`, facts)
    return null
  }
}

/** One app that takes long to come back keeps no other waiting. */
function healBehind(
  { context, busy, bound, again }: Look,
  app: string,
  types: string[],
  control: Control,
): void {
  if (busy.has(app)) return
  busy.add(app)
  void bound
    .run(async () => await healApp(context, { app, types }, control), control.signal)
    // It tells itself what was in the way: only the end of all ends it here.
    .catch(() => undefined)
    .finally(() => {
      busy.delete(app)
      again(app, 0)
    })
}
