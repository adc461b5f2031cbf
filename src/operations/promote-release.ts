import type { Control } from '../domain/control.ts'
import { RackError } from '../domain/error.ts'
import { releaseOfRollback } from '../domain/release.ts'
import { refuseGone } from '../domain/service-link.ts'
import { changeLive } from './change-live.ts'
import type { Context } from './context.ts'
import { findRelease, liveReleaseOf } from './find.ts'
import { tellLinks, withUsableLinks } from './links.ts'
import type { PromoteOptions, PromoteResult } from './operations.ts'
import { tellUnheard } from './owned-by-scale.ts'
import { readRelease, type Target } from './read-release.ts'

/** Makes a release the live version of the app. */
export async function promoteRelease(
  context: Context,
  app: string,
  release: string,
  { releaseCommand }: PromoteOptions,
  control: Control,
): Promise<PromoteResult> {
  await findRelease(context, app, release)
  const findTarget = async () => {
    await tellUnheard(context, app, release, control)
    await tellLinks(context, app, release, control)
    return { app, release, underPolicy: true, runsCommands: releaseCommand }
  }
  return changeLive(context, 'promote', { app, actor: context.caller.name, findTarget }, control)
}

/**
 * Makes a new release of an older one's build, environment and links, and promotes it.
 * @param release null takes the one that was live before the live one
 */
export async function rollbackRelease(
  context: Context,
  app: string,
  release: string | null,
  { releaseCommand }: PromoteOptions,
  control: Control,
): Promise<PromoteResult> {
  const findTarget = async () => {
    const previous = release ?? (await previousOf(context, app))
    await tellLinks(context, app, previous, control)
    return await targetOfRollback(
      context,
      app,
      previous,
      { underPolicy: true, runsCommands: releaseCommand },
      control,
    )
  }
  return changeLive(context, 'promote', { app, actor: context.caller.name, findTarget }, control)
}

/** A new release of an older one's build, environment and links, to be made live. */
export async function targetOfRollback(
  context: Context,
  app: string,
  previous: string,
  how: Pick<Target, 'underPolicy' | 'runsCommands'>,
  control: Control,
): Promise<Target> {
  const target = await findRelease(context, app, previous)
  // Read first: what cannot be planned shall not become a release.
  const { environment, services } = await readRelease(context, app, target.id, how)
  refuseGone(
    app,
    target.id,
    services.filter(({ isRevoked }) => !isRevoked),
  )
  const made = await withUsableLinks(
    context,
    target,
    async (links) =>
      await context.store.releases.append(app, () => releaseOfRollback(target, environment, links)),
    control,
  )
  return { app, release: made.id, ...how }
}

async function previousOf(context: Context, app: string): Promise<string> {
  const live = await liveReleaseOf(context, app)
  const previous = await context.store.releases.liveBefore(app, live)
  if (previous !== null) return previous
  throw new RackError('conflict', `no release of ${app} was live before ${live}`, {
    hint: `Name one: rack releases rollback RELEASE --app ${app}`,
  })
}
