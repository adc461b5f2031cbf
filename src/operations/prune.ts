import type { Control } from '../domain/control.ts'
import type { Swept } from '../domain/engine.ts'
import { appOwner, type Owner } from '../domain/owner.ts'
import type { Context } from './context.ts'
import { keptKey, sweepKeptSources } from './kept-sources.ts'
import type { PruneOptions } from './prune-options.ts'
import { sweepObjects } from './sweep-objects.ts'

/**
 * Keeps the images and sources of each app's newest releases, the live one and those under way; the rest goes, and with it what a
 * crash has left of uploads and logs.
 * @throws busy while a build runs
 */
export async function prune(context: Context, options: PruneOptions, control: Control): Promise<Swept> {
  return await context.images.whileSweeping(async () => {
    const { store, engine } = context
    const apps = await store.apps.list()
    const images = new Set<string>()
    const sources = new Set<string>()
    for (const { name } of apps) {
      for (const build of await keptBuilds(context, name)) {
        const content = await store.builds.content(build)
        for (const { reference } of Object.values(content.images)) images.add(reference)
        if (content.kept) sources.add(keptKey(name, content.kept))
      }
    }
    await sweepObjects(context)
    const sourceBytes = await sweepKeptSources(context, sources)
    const services = await keptServices(context, images)
    const owners = [...apps.map(({ name }) => appOwner(name)), ...services]
    const swept = await engine.sweep({ owners, images: [...images], ...options }, control)
    return { ...swept, bytes: swept.bytes + sourceBytes }
  })
}

/** All of them, those that are kept for their data too; adds the images of those that run: the others get theirs again. */
async function keptServices({ store }: Context, images: Set<string>): Promise<Owner[]> {
  const services = await store.services.list()
  for (const { name } of services.filter(({ status }) => status !== 'kept')) {
    const run = await store.services.run(name)
    // Of what it was before an upgrade, too: it may go back.
    for (const built of [run?.built, run?.previous?.built]) if (built) images.add(built.reference)
  }
  return services.map(({ name }) => ({ kind: 'service', name }))
}

/** Of whose releases images and sources are kept. */
export async function keptBuilds(
  { store, rack }: Pick<Context, 'store' | 'rack'>,
  app: string,
): Promise<Set<string>> {
  const live = (await store.apps.get(app))?.release
  const underWay = (await store.operations.running()).flatMap(({ intent }) => [
    intent.release,
    intent.previousRelease,
  ])
  const pinned = [live, ...underWay].filter((id) => typeof id === 'string')
  const newest = await store.releases.list(app, rack.keepReleases)
  const others = await Promise.all(pinned.map((id) => store.releases.get(app, id)))
  return new Set([...newest, ...others].flatMap((release) => release?.build ?? []))
}
