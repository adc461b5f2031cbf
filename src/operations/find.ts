import type { App } from '../domain/app.ts'
import type { Build } from '../domain/build.ts'
import { RackError } from '../domain/error.ts'
import type { Release } from '../domain/release.ts'
import type { Context } from './context.ts'

/** @throws not-found */
export async function findApp({ store }: Context, app: string): Promise<App> {
  const found = await store.apps.get(app)
  if (found) return found
  throw new RackError('not-found', `there is no app "${app}"`, {
    hint: 'See the apps with: rack apps. Make it with: rack deploy --app NAME',
  })
}

/** @throws not-found */
export async function findBuild(context: Context, app: string, build: string): Promise<Build> {
  await findApp(context, app)
  const found = await context.store.builds.get(app, build)
  if (found) return found
  throw new RackError('not-found', `${app} has no build ${build}`, {
    hint: `See them with: rack builds --app ${app}`,
  })
}

/** @throws not-found */
export async function findRelease(context: Context, app: string, release: string): Promise<Release> {
  await findApp(context, app)
  const found = await context.store.releases.get(app, release)
  if (found) return found
  throw new RackError('not-found', `${app} has no release ${release}`, {
    hint: `See them with: rack releases --app ${app}`,
  })
}

/** @throws conflict when the app has never been promoted */
export async function liveReleaseOf(context: Context, app: string): Promise<string> {
  const { release } = await findApp(context, app)
  if (release !== null) return release
  throw new RackError('conflict', `${app} has no live release`, {
    hint: `Promote one first: rack deploy --app ${app}`,
  })
}
