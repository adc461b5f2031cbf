import { checkVariable, type Environment } from '../domain/environment.ts'
import { RackError } from '../domain/error.ts'
import { processEnvironment } from '../domain/process-environment.ts'
import { releaseOfEnvironment, type Release } from '../domain/release.ts'
import { buildTimeNames, unseenOf } from './build-time-names.ts'
import type { Context } from './context.ts'
import { findApp, findRelease } from './find.ts'
import { refuseComing } from './journal/start-operation.ts'
import type { EnvironmentChange, NameChanges, OriginVariable } from './operations.ts'
import { readRelease } from './read-release.ts'

/** The environment of a release, by default the newest. */
export async function getEnvironment(context: Context, app: string, release?: string): Promise<Environment> {
  await findApp(context, app)
  const id = release ?? (await context.store.releases.newest(app))?.id
  return id ? context.store.releases.environment(app, id) : {}
}

/**
 * Makes a release with a changed environment; a change that changes nothing makes none, and gives the newest there is.
 * @throws invalid for a name or value that cannot be; busy while the app comes from elsewhere
 */
export async function changeEnvironment(
  context: Context,
  app: string,
  { set, unset, replace }: EnvironmentChange,
): Promise<Release> {
  await findApp(context, app)
  await refuseComing(context, app)
  for (const [name, value] of Object.entries(set)) checkVariable(name, value)
  const derive = (before: Environment) => {
    const after = replace ? { ...set } : { ...before, ...set }
    for (const name of unset) delete after[name]
    return after
  }
  const newest = await context.store.releases.newest(app)
  const present = newest && (await context.store.releases.environment(app, newest.id))
  if (newest && present && Object.values(nameChanges(present, derive(present))).flat().length === 0)
    return newest
  return context.store.releases.append(app, (history) => releaseOfEnvironment(history, derive))
}

/** The final variables of one process type of the newest release that has a build. */
export async function processVariables(
  context: Context,
  app: string,
  typeName: string,
): Promise<OriginVariable[]> {
  await findApp(context, app)
  const newest = await context.store.releases.newest(app)
  if (!newest) throw new RackError('conflict', `${app} has no release`, { hint: `rack deploy --app ${app}` })
  const input = await readRelease(context, app, newest.id, { underPolicy: false })
  const type = input.manifest.processes.find(({ name }) => name === typeName)
  if (type) return processEnvironment(input, type)
  throw new RackError('not-found', `${app} has no process type "${typeName}"`, {
    hint: `It has: ${input.manifest.processes.map(({ name }) => name).join(', ')}`,
  })
}

/** What differs between two releases' environments: names, never values. */
export async function diffEnvironment(
  context: Context,
  app: string,
  from: string,
  to: string,
): Promise<NameChanges> {
  await Promise.all([findRelease(context, app, from), findRelease(context, app, to)])
  const { releases } = context.store
  const [before, after] = [await releases.environment(app, from), await releases.environment(app, to)]
  const changes = nameChanges(before, after)
  const names = Object.values(changes).flat().sort()
  return {
    ...changes,
    atBuild: await buildTimeNames(context, app, to, { names, before }),
    unseen: await unseenOf(context, app, to),
  }
}

/** Names that differ between two environments, each list sorted. */
function nameChanges(from: Environment, to: Environment): Omit<NameChanges, 'atBuild' | 'unseen'> {
  const had = Object.keys(from).sort()
  const has = Object.keys(to).sort()
  return {
    added: has.filter((name) => !Object.hasOwn(from, name)),
    changed: has.filter((name) => Object.hasOwn(from, name) && from[name] !== to[name]),
    removed: had.filter((name) => !Object.hasOwn(to, name)),
  }
}
