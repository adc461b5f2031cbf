import { checkVariable, type Environment } from '../domain/environment.ts'
import { RackError } from '../domain/error.ts'
import { processEnvironment } from '../domain/plan.ts'
import { releaseOfEnvironment, type Release } from '../domain/release.ts'
import type { Context } from './context.ts'
import { findApp, findRelease } from './find.ts'
import type { EnvironmentChange, NameChanges, OriginVariable } from './operations.ts'
import { readRelease } from './read-release.ts'

/** The environment of a release, by default the newest. */
export async function getEnvironment(context: Context, app: string, release?: string): Promise<Environment> {
  await findApp(context, app)
  const id = release ?? (await context.store.releases.newest(app))?.id
  return id ? context.store.releases.environment(app, id) : {}
}

/** Makes a release with a changed environment. @throws invalid for a name or value that cannot be */
export async function changeEnvironment(
  context: Context,
  app: string,
  { set, unset, replace }: EnvironmentChange,
): Promise<Release> {
  await findApp(context, app)
  for (const [name, value] of Object.entries(set)) checkVariable(name, value)
  return context.store.releases.append(app, (history) =>
    releaseOfEnvironment(history, (before) => {
      const after = replace ? { ...set } : { ...before, ...set }
      for (const name of unset) delete after[name]
      return after
    }),
  )
}

/** The final variables of one process type of the newest release that has a build. */
export async function processVariables(
  context: Context,
  app: string,
  process: string,
): Promise<OriginVariable[]> {
  await findApp(context, app)
  const newest = await context.store.releases.newest(app)
  if (!newest) throw new RackError('conflict', `${app} has no release`, { hint: `rack deploy --app ${app}` })
  const input = await readRelease(context, app, newest.id, { underPolicy: false })
  const type = input.manifest.processes.find(({ name }) => name === process)
  if (type) return processEnvironment(input, type)
  throw new RackError('not-found', `${app} has no process type "${process}"`, {
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
  return nameChanges(await releases.environment(app, from), await releases.environment(app, to))
}

/** Names that differ between two environments, each list sorted. */
export function nameChanges(from: Environment, to: Environment): NameChanges {
  const had = Object.keys(from).sort()
  const has = Object.keys(to).sort()
  return {
    added: has.filter((name) => !Object.hasOwn(from, name)),
    changed: has.filter((name) => Object.hasOwn(from, name) && from[name] !== to[name]),
    removed: had.filter((name) => !Object.hasOwn(to, name)),
  }
}
