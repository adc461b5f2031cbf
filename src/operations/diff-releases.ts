import { surgeOf } from '../domain/admission.ts'
import { changedTypes } from '../domain/copy-identity.ts'
import { maskText, type Environment } from '../domain/environment.ts'
import { RackError } from '../domain/error.ts'
import { stopsFirst } from '../domain/overlap.ts'
import { planRelease, type Plan } from '../domain/plan.ts'
import { addResources, noResources } from '../domain/rack.ts'
import type { ReleaseLink } from '../domain/service-link.ts'
import { unheardFormation } from '../domain/unheard-formation.ts'
import type { Context } from './context.ts'
import { findApp, findRelease } from './find.ts'
import type { LinkChange, ProcessChange, ReleaseDiff } from './operations.ts'
import { changedFields } from './process-fields.ts'
import { readRelease } from './read-release.ts'
import { diffEnvironment } from './set-environment.ts'

/** What a promote of one release over another would change; values of variables stay out of it. */
export async function diffReleases(
  context: Context,
  app: string,
  range: { from?: string; to?: string },
): Promise<ReleaseDiff> {
  const { from, to } = await rangeOf(context, app, range)
  const read = (release: string) => readRelease(context, app, release, { underPolicy: false })
  const [before, after] = await Promise.all([read(from), read(to)])
  const owned = await context.store.formations.get(app)
  const [old, next] = [planRelease(before), planRelease(after)]
  const restarts = changedTypes(next, old, context.engine.features)
  const running = (type: string) => old.processes.find((before) => before.type === type)?.count ?? 0
  const surge = next.processes
    .filter((type) => restarts.has(type.type) && !stopsFirst(type, running(type.type)))
    .reduce((sum, processPlan) => addResources(sum, processPlan, surgeOf(processPlan)), noResources)
  return {
    from,
    to,
    environment: await diffEnvironment(context, app, from, to),
    links: await linkChanges(context, app, from, to),
    processes: maskChanges(processChanges(old, next), [before.environment, after.environment]),
    restarts: [...restarts],
    surge,
    unheard: unheardFormation(after.manifest.processes, owned, before.manifest.processes),
  }
}

/** A service whose address is another one is called by its version too. */
async function linkChanges(context: Context, app: string, from: string, to: string): Promise<LinkChange[]> {
  const [before, after] = [await findRelease(context, app, from), await findRelease(context, app, to)]
  const aliases = new Set([...before.links, ...after.links].map(({ alias }) => alias))
  return [...aliases].sort().flatMap((alias) => {
    const [was, is] = [before, after].map(({ links }) => links.find((link) => link.alias === alias))
    if (was?.version === is?.version) return []
    const isSame = was?.service === is?.service
    const text = (link: ReleaseLink | undefined) =>
      link ? `${link.service}${isSame ? ` ${link.version}` : ''}` : null
    return [{ alias, from: text(was), to: text(is) }]
  })
}

async function rangeOf(context: Context, app: string, { from, to }: { from?: string; to?: string }) {
  const { release: live } = await findApp(context, app)
  const newest = to ?? (await context.store.releases.newest(app))?.id
  // When the newest is live already, what it replaced is what one wants to see.
  const isLive = newest !== undefined && newest === live
  const before = isLive ? ((await context.store.releases.liveBefore(app, newest)) ?? live) : live
  const oldest = from ?? before
  if (newest && oldest) return { from: oldest, to: newest }
  throw new RackError('conflict', `${app} has no two releases to compare`, {
    hint: `rack releases --app ${app}`,
  })
}

function processChanges(old: Plan, next: Plan): ProcessChange[] {
  const before = new Map(old.processes.map((processPlan) => [processPlan.type, processPlan]))
  const after = new Map(next.processes.map((processPlan) => [processPlan.type, processPlan]))
  const types = [...new Set([...before.keys(), ...after.keys()])].sort()
  return types.flatMap((type): ProcessChange[] => {
    const [was, is] = [before.get(type), after.get(type)]
    if (!was) return [{ type, change: 'added', fields: [] }]
    if (!is) return [{ type, change: 'removed', fields: [] }]
    const fields = changedFields(was, is)
    return fields.length > 0 ? [{ type, change: 'changed', fields }] : []
  })
}

/** A command or a label may hold what the compose file took from the environment. */
function maskChanges(changes: ProcessChange[], environments: Environment[]): ProcessChange[] {
  const masked = (text: string | null) =>
    text && environments.reduce((words, environment) => maskText(words, environment), text)
  return changes.map((change) => ({
    ...change,
    fields: change.fields.map(({ name, from, to }) => ({ name, from: masked(from), to: masked(to) })),
  }))
}
