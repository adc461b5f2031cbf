import type { PlanInput } from '../../domain/plan-input.ts'
import { processLinks } from '../../domain/process-environment.ts'
import { startedTypes } from '../../domain/service-link.ts'
import type { Context } from '../context.ts'
import { findApp } from '../find.ts'
import { readRelease } from '../read-release.ts'
import type { ProcessLinkInfo } from '../../domain/link-check.ts'

/** Of one app or of all, by their live releases. A link to a stand-in is the one to its service. */
export async function listProcessLinks(
  context: Context,
  { app }: { app?: string | undefined },
): Promise<ProcessLinkInfo[]> {
  const lives = await readLives(context, app)
  return lives.flatMap((input) => processLinksOf(input))
}

/** The live releases of one app, or of all that the caller reaches; an app that was never promoted has none. @throws not-found */
export async function readLives(context: Context, app: string | undefined): Promise<PlanInput[]> {
  const { store, caller } = context
  const apps = app === undefined ? await store.apps.list() : [await findApp(context, app)]
  const own = apps.filter(({ name }) => caller.apps?.includes(name) ?? true)
  const live = own.flatMap(({ name, release }) => (release === null ? [] : [{ name, release }]))
  return await Promise.all(
    live.map(({ name, release }) => readRelease(context, name, release, { underPolicy: false })),
  )
}

export function processLinksOf(input: PlanInput): ProcessLinkInfo[] {
  return startedTypes(input.manifest, input.services).flatMap((type) =>
    processLinks(input, type).map(({ alias, target, address: { scheme, port } }) => {
      return { app: input.app, process: type.name, alias, target, scheme, port }
    }),
  )
}
