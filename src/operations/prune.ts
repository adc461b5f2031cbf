import type { Control } from '../domain/control.ts'
import type { Swept } from '../domain/engine.ts'
import type { Context } from './context.ts'
import type { PruneOptions } from './operations.ts'

/**
 * Keeps the images of each app's newest releases, the live one and those under way; the rest goes.
 * @throws busy while a build runs
 */
export async function prune(context: Context, options: PruneOptions, control: Control): Promise<Swept> {
  return await context.images.whileSweeping(async () => {
    const { store, engine } = context
    const apps = await store.apps.list()
    const images = new Set<string>()
    for (const { name } of apps) {
      for (const build of await keptBuilds(context, name)) {
        const content = await store.builds.content(build)
        for (const { digest } of Object.values(content.images)) images.add(digest)
      }
    }
    const names = apps.map(({ name }) => name)
    return await engine.sweep({ apps: names, images: [...images], ...options }, control)
  })
}

async function keptBuilds({ store, rack }: Context, app: string): Promise<Set<string>> {
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
