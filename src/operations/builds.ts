import type { Build } from '../domain/build.ts'
import type { Control, Progress } from '../domain/control.ts'
import { RackError } from '../domain/error.ts'
import { cancelOperation } from './cancel-app.ts'
import type { Context } from './context.ts'
import { findBuild } from './find.ts'
import { refuseComing } from './journal/start-operation.ts'

/** A build's log from its start; with `follow` until the build has ended. */
export async function* buildLog(
  context: Context,
  app: string,
  build: string,
  options: { follow: boolean },
  control: Control,
): AsyncIterable<Progress> {
  await findBuild(context, app, build)
  yield* context.buildLogs.read(app, build, options, control)
}

/** Ends a running build. @throws conflict when it has ended already */
export async function cancelBuild(context: Context, app: string, build: string): Promise<Build> {
  await findBuild(context, app, build)
  const running = await context.store.operations.running()
  const operation = running.find(({ kind, intent }) => kind === 'build' && intent.build === build)
  if (!operation) throw new RackError('conflict', `${build} has ended already`)
  await cancelOperation(context, operation)
  return findBuild(context, app, build)
}

/** Forgets a build and its log. @throws conflict for the live one or a running one */
export async function deleteBuild(context: Context, app: string, build: string): Promise<void> {
  const { status } = await findBuild(context, app, build)
  if (status === 'created' || status === 'running') {
    throw new RackError('conflict', `${build} is running`, {
      hint: `rack builds cancel ${build} --app ${app}`,
    })
  }
  await refuseComing(context, app)
  await context.store.builds.remove(app, build)
  await context.buildLogs.remove(app, build)
}
