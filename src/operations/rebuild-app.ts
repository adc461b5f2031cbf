import type { Build, BuildContent } from '../domain/build.ts'
import type { Control } from '../domain/control.ts'
import { RackError } from '../domain/error.ts'
import { beginBuild } from './build-app.ts'
import { say, type InputOrigin } from './build-input.ts'
import type { Context } from './context.ts'
import { findBuild } from './find.ts'
import { findKeptSource } from './kept-sources.ts'
import type { BuildResult, RebuildOptions } from './operations.ts'
import { besideSource, restoredSource } from './restored-source.ts'

/**
 * Builds once more what an earlier build was made of, in the app's newest environment: from the source that the rack
 * keeps, and the files that came beside it, which are sealed with the build.
 * @throws as `buildApp`; conflict for a build that is not complete; gone when its source is not kept any more
 */
export async function rebuildApp(
  context: Context,
  app: string,
  build: string,
  { description, noCache }: RebuildOptions,
  control: Control,
): Promise<BuildResult> {
  const before = await findBuild(context, app, build)
  if (before.status !== 'complete') {
    throw new RackError(
      'conflict',
      `${build} is ${before.status}: it can be built again when it is complete`,
      {
        hint: `See it with: rack builds info ${build} --app ${app}`,
      },
    )
  }
  // Known before there is a build.
  await openKept(context, before, await context.store.builds.content(build))
  const making = { origin: keptOrigin(context, before), noCache }
  return await beginBuild(context, app, description ?? `build ${build} again`, making, control)
}

function keptOrigin(context: Context, before: Build): InputOrigin {
  return {
    take: async () => undefined,
    async open(_build, { report }) {
      const content = await context.store.builds.content(before.id)
      const known = await openKept(context, before, content)
      report(say(`the source is that of ${before.id}, ${known.files.length} files`))
      return { manifest: content.source, content: restoredSource(known, besideSource(content)) }
    },
    leave: async () => undefined,
  }
}

async function openKept(context: Context, { app, id }: Build, { kept, source, beside }: BuildContent) {
  const hint = `Send it again: rack deploy --app ${app}`
  // A build of an older rack does not say which of them were part of the source.
  const unknown = beside === null ? [...Object.keys(source.texts), ...Object.keys(source.contents)] : []
  if (kept !== null && unknown.length > 0) {
    const names = unknown.sort().join(', ')
    throw new RackError('gone', `the rack does not know whether the source of ${id} had ${names}`, { hint })
  }
  if (kept === null) throw new RackError('gone', `the source of ${id} is not kept`, { hint })
  try {
    return await findKeptSource(context, app, kept)
  } catch (cause) {
    if (!(cause instanceof RackError && cause.code === 'gone')) throw cause
    throw new RackError('gone', `the source of ${id} is not kept any more`, { hint, cause })
  }
}
