import type { Control } from '../domain/control.ts'
import { RackError } from '../domain/error.ts'
import { releaseOfRollback } from '../domain/release.ts'
import { changeLive } from './change-live.ts'
import type { Context } from './context.ts'
import { findRelease, liveReleaseOf, releaseLiveBefore } from './find.ts'
import type { PromoteResult } from './operations.ts'
import { readRelease } from './read-release.ts'

/** Makes a release the live version of the app. */
export async function promoteRelease(
  context: Context,
  app: string,
  release: string,
  actor: string,
  control: Control,
): Promise<PromoteResult> {
  await findRelease(context, app, release)
  const findTarget = async () => ({ app, release, underPolicy: true })
  return changeLive(context, 'promote', { app, actor, findTarget }, control)
}

/**
 * Makes a new release of an older one's build and environment, and promotes it.
 * @param release null takes the one that was live before the live one
 */
export async function rollbackRelease(
  context: Context,
  app: string,
  release: string | null,
  actor: string,
  control: Control,
): Promise<PromoteResult> {
  const findTarget = async () => {
    const target = await findRelease(context, app, release ?? (await previousOf(context, app)))
    // Read first: what cannot be planned shall not become a release.
    const { environment } = await readRelease(context, app, target.id, { underPolicy: true })
    const made = await context.store.releases.append(app, () => releaseOfRollback(target, environment))
    return { app, release: made.id, underPolicy: true }
  }
  return changeLive(context, 'promote', { app, actor, findTarget }, control)
}

async function previousOf(context: Context, app: string): Promise<string> {
  const live = await liveReleaseOf(context, app)
  const previous = await releaseLiveBefore(context, app, live)
  if (previous !== null) return previous
  throw new RackError('conflict', `no release of ${app} was live before ${live}`, {
    hint: `Name one: rack releases rollback RELEASE --app ${app}`,
  })
}
