import type { Context } from './context.ts'
import { sweepImports } from './moves/staged-archives.ts'
import { isUnderWay } from './services/backup/backups.ts'
import { sweepBackups } from './services/backup/kept-backups.ts'

/**
 * Removes what a crash has left among the objects: uploads of builds that have ended, logs of builds that are no more,
 * backups and imports that were not made to their end.
 * The keys are read first and the rows after them: a build has its row before its first object.
 */
export async function sweepObjects(context: Context): Promise<void> {
  await sweepSources(context)
  await sweepLogs(context)
  await sweepImports(context)
  await sweepBackups(context, (id) => isUnderWay(context, id))
}

async function sweepSources({ store, objects }: Context): Promise<void> {
  const keys = await keysUnder(objects, 'sources/')
  if (keys.length === 0) return
  const unfinished = new Set((await store.builds.inStatus(['created', 'running'])).map(({ id }) => id))
  for (const key of keys) if (!unfinished.has(buildOf(key))) await objects.remove(key)
}

async function sweepLogs({ store, objects }: Context): Promise<void> {
  const keys = await keysUnder(objects, 'builds/')
  const known = await store.builds.known([...new Set(keys.map(buildOf))])
  for (const key of keys) if (!known.has(buildOf(key))) await objects.remove(key)
}

async function keysUnder(objects: Context['objects'], prefix: string): Promise<string[]> {
  return await Array.fromAsync(objects.list(prefix), ({ key }) => key)
}

/** `sources/APP/BUILD.tar`, `builds/APP/BUILD.ndjson` or `builds/APP/BUILD/00000001.ndjson`. */
function buildOf(key: string): string {
  return key.split('/')[2]?.split('.')[0] ?? ''
}
