import { resolve } from 'node:path'
import type { Client } from '../../client/client-types.ts'
import { RackError } from '../../domain/error.ts'
import type { CommandSpec, OptionSpec } from '../command-spec.ts'
import { startFollowing, type Cancel, type Following } from '../follow.ts'
import { showPromoted } from '../output/promoted.ts'
import type { Session } from '../session.ts'

const sourceOptions: OptionSpec[] = [
  {
    flags: '-f, --file <path>',
    meaning: 'a compose file in the directory; repeat it to merge several',
    multiple: true,
  },
  { flags: '-m, --description <text>', meaning: 'kept with the build and its release' },
  { flags: '--no-cache', meaning: 'build every step again' },
]

/** `rack build`. */
export const build: CommandSpec = {
  name: 'build',
  arguments: '[directory]',
  summary: 'build a source directory into a release',
  description: 'The release is not promoted. The app is created when it is not there.',
  examples: ['build', 'build --app guestbook examples/guestbook', 'build -m "new greeting" --no-cache'],
  options: sourceOptions,
  needs: 'app',
  async run(session) {
    const { output, isJson } = session
    const client = await session.connect()
    using following = await startFollowing(session)
    const made = await buildDirectory(session, client, following)
    following.result(made)
    following.note(
      `${made.release} of ${made.app} is ready; make it live: rack releases promote ${made.release} --app ${made.app}`,
    )
    following[Symbol.dispose]()
    if (!isJson) output.data(made.release)
  },
}

/** `rack deploy`. */
export const deploy: CommandSpec = {
  name: 'deploy',
  arguments: '[directory]',
  summary: 'build and promote: source to live',
  description: [
    'Sends the directory (what .dockerignore leaves), builds one image per process type, and replaces what runs',
    'without dropping a request. When anything of the new release does not get healthy, the old one runs on.',
    'Ctrl-C cancels on the rack and waits until it is undone; a second one leaves at once.',
  ].join('\n'),
  examples: [
    'deploy',
    'deploy --app guestbook examples/guestbook',
    'deploy -f docker-compose.yml -f production.yml',
  ],
  options: sourceOptions,
  needs: 'app',
  async run(session) {
    const client = await session.connect()
    using following = await startFollowing(session)
    const { app, build, release } = await buildDirectory(session, client, following)
    const lines = client.promoteRelease({ params: { app, release } })
    const cancel = { what: 'the promote', call: () => client.cancelApp({ params: { app } }) }
    showPromoted(session, following, await following.follow(lines, cancel), { build })
  },
}

interface Made {
  app: string
  build: string
  release: string
}

async function buildDirectory(session: Session, client: Client, following: Following): Promise<Made> {
  const { options, world } = session
  const directory = resolve(world.cwd, session.args[0] ?? '.')
  const { checkLocalManifest, readLocalManifest } = await import('../source/read-manifest-source.ts')
  const manifest = await readLocalManifest(directory, options.list('file'))
  // The rack says the same warnings into the build's log.
  await checkLocalManifest(manifest, await client.getPolicy())
  const { name: app } = session.app({ directory })
  await createIfMissing(client, app, following)
  const { uploadOf } = await import('../source/upload.ts')
  const content = uploadOf(manifest, (path, reason) => following.note(`left out ${path}: ${reason}`))
  const query = { description: options.text('description'), noCache: options.isOff('cache') }
  const lines = client.buildApp({ params: { app }, query, content })
  return { app, ...(await following.follow(lines, cancelOfBuild(client, app))) }
}

async function createIfMissing(client: Client, app: string, following: Following): Promise<void> {
  try {
    await client.getApp({ params: { app } })
  } catch (error) {
    if (!(error instanceof RackError && error.code === 'not-found')) throw error
    await client.createApp({ body: { name: app } })
    following.note(`the app ${app} is new; it is created`)
  }
}

/** The build says its id as it begins; before that there is nothing to end but the upload. */
function cancelOfBuild(client: Client, app: string): Cancel {
  let build: string | null = null
  return {
    what: 'the build',
    onProgress(progress) {
      if (progress.type === 'phase' && progress.phase === 'build' && progress.state === 'started') {
        build ??= progress.detail ?? null
      }
    },
    async call() {
      if (build !== null) return await client.cancelBuild({ params: { app, build } })
      throw new RackError('cancelled', 'cancelled before the build had begun; nothing was made')
    },
  }
}
