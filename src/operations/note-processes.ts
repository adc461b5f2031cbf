import type { Control } from '../domain/control.ts'
import { appOwner, isOfApp, ofApp } from '../domain/owner.ts'
import { newsOf, sightingOf, toldBefore, type Sighting, type Told } from '../domain/process-news.ts'
import type { Context } from './context.ts'
import { watchApps } from './watch-apps.ts'

/** What was told, by app and process id. */
type ToldByApp = Map<string, Map<string, Told>>

/**
 * Tells what becomes of processes as events, until the signal ends. Whatever has changed while nobody looked, because the
 * engine or this daemon was away, is told when it is looked at next.
 */
export async function noteProcesses(context: Context, control: Control): Promise<void> {
  const told = toldByApp(await context.store.processes.list())
  const watcher = {
    failure: 'what becomes of processes is not told',
    async look(app: string | null, again: (app: string, inMs: number) => void, own: Control) {
      for (const [name, dueMs] of await noteApps(context, told, app, own)) again(name, dueMs)
    },
  }
  await watchApps(context, watcher, control)
}

function toldByApp(sightings: Sighting[]): ToldByApp {
  const byApp = Map.groupBy(sightings, ({ app }) => app)
  return new Map(Array.from(byApp, ([app, own]) => [app, toldBefore(own)]))
}

/** @returns when more is to be told, by app */
async function noteApps(
  context: Context,
  told: ToldByApp,
  app: string | null,
  control: Control,
): Promise<Map<string, number>> {
  const { store, engine } = context
  const found = await engine.processes({ ...(app !== null && { owner: appOwner(app) }), all: true }, control)
  const byApp = Map.groupBy(found.filter(isOfApp).map(ofApp).map(sightingOf), (process) => process.app)
  const names = app === null ? new Set([...byApp.keys(), ...told.keys()]) : [app]
  const due = new Map<string, number>()
  for (const name of names) {
    const nowMs = context.now().getTime()
    const outlook = newsOf(told.get(name) ?? new Map(), byApp.get(name) ?? [], nowMs)
    if (outlook.news.length > 0) await store.processes.tell(name, outlook.news)
    if (outlook.told.size > 0) told.set(name, outlook.told)
    else told.delete(name)
    if (outlook.dueMs !== null) due.set(name, outlook.dueMs - nowMs)
  }
  return due
}
