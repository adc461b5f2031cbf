import { resolve } from 'node:path'
import type { Client } from '../../client/client-types.ts'
import { nothingKept, type KeptSource } from '../../domain/build.ts'
import { codeOf } from '../../domain/error.ts'
import type { CommandSpec, OptionSpec } from '../command-spec.ts'
import { startFollowing, type Following } from '../follow.ts'
import { projectDirectory } from '../project-directory.ts'
import type { FetchedContexts } from '../source/fetched-contexts.ts'
import type { LocalManifest } from '../source/read-manifest-source.ts'
import { cancelOfBuild } from '../rebuild.ts'
import { cancelOfPromote, promoteQuery, withoutCommand } from './releases.ts'
import { showBuilt, showPromoted, type Built } from '../output/promoted.ts'
import type { Session } from '../session.ts'

const sourceOptions: OptionSpec[] = [
  {
    flags: '-f, --file <path>',
    meaning: 'a compose file in the directory; repeat it to merge several',
    multiple: true,
  },
  { flags: '--git <url>', meaning: 'a repository instead of a directory: URL#REF:FOLDER' },
  { flags: '--tgz <file>', meaning: 'an archive instead of a directory; - is standard input' },
  { flags: '--image <name>', meaning: 'a ready image instead of a directory' },
  { flags: '--port <port>', meaning: 'at which the process of --image serves HTTP' },
  { flags: '-m, --description <text>', meaning: 'kept with the build and its release' },
  { flags: '--no-cache', meaning: 'build every step again' },
]

/** `rack build`. */
export const build: CommandSpec = {
  name: 'build',
  arguments: '[directory]',
  summary: 'build a source directory into a release',
  description: 'The release is not promoted. The app is created when it is not there.',
  examples: [
    'build',
    'build --app guestbook examples/guestbook',
    'build -m "new greeting" --no-cache',
    'build --git https://example.com/shop.git#main:web',
    'build --app shop --tgz - < source.tgz',
  ],
  options: sourceOptions,
  needs: 'app',
  async run(session) {
    const client = await session.connect()
    using following = await startFollowing(session)
    const made = await buildDirectory(session, client, following)
    showBuilt(session, following, made)
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
    'deploy --git https://example.com/shop.git#v1.2',
    'deploy --app proxy --image nginx:1 --port 80',
  ],
  options: [...sourceOptions, withoutCommand],
  needs: 'app',
  async run(session) {
    const client = await session.connect()
    using following = await startFollowing(session)
    const { app, build, release } = await buildDirectory(session, client, following)
    const lines = client.promoteRelease({ params: { app, release }, query: promoteQuery(session) })
    const cancel = cancelOfPromote(client, app)
    showPromoted(session, following, await following.follow(lines, cancel), { build })
  },
}

/** The one that is named, or else where the compose file is, here or above. */
function directoryOf({ world, args }: Session, files: string[], following: Following): string {
  const isSaid = args[0] !== undefined || files.length > 0
  const directory = isSaid ? resolve(world.cwd, args[0] ?? '.') : projectDirectory(world.cwd)
  if (!isSaid && directory !== world.cwd) following.note(`the compose file is in ${directory}`)
  return directory
}

async function buildDirectory(session: Session, client: Client, following: Following): Promise<Built> {
  const { options } = session
  const files = options.list('file')
  const { openLocalSource } = await import('../source/local-source.ts')
  await using fetched = await openLocalSource(session)
  const directory = fetched?.directory ?? directoryOf(session, files, following)
  const { checkLocalManifest, readLocalManifest } = await import('../source/read-manifest-source.ts')
  const manifest = await readLocalManifest(directory, files)
  // The rack says the same warnings into the build's log; its policy is asked for only where nothing is sent.
  await checkLocalManifest(manifest, () => client.getPolicy())
  const { name: app } = session.app({ directory })
  await using contexts = await fetchContextsOf(manifest, following)
  const { uploadOf } = await import('../source/upload.ts')
  const note = (path: string, reason: string) => following.note(`left out ${path}: ${reason}`)
  const send = async (kept: KeptSource) => {
    const query = {
      description: options.text('description'),
      noCache: options.isOff('cache'),
      create: true,
      base: kept.id ?? undefined,
    }
    const content = uploadOf(manifest, note, { kept, fetched: contexts })
    const lines = client.buildApp({ params: { app }, query, content })
    return { app, ...(await following.follow(lines, cancelOfBuild(client, app))) }
  }
  const isBuilt = manifest.contexts.length + manifest.repositories.length > 0
  const kept = !isBuilt ? nothingKept : await keptSource(client, app)
  return await sendWhatIsMissing(send, kept)
}

/** What builds take from repositories: most files name none, and git is not asked for. */
async function fetchContextsOf(
  manifest: LocalManifest,
  following: Following,
): Promise<FetchedContexts | null> {
  if (manifest.repositories.length === 0) return null
  const { fetchContexts } = await import('../source/fetched-contexts.ts')
  return await fetchContexts(manifest, ({ url, ref }) => following.note(`fetching ${url}${ref && `#${ref}`}`))
}

/** What the rack keeps may go meanwhile: then all is sent. */
async function sendWhatIsMissing<T>(send: (kept: KeptSource) => Promise<T>, kept: KeptSource): Promise<T> {
  try {
    return await send(kept)
  } catch (error) {
    if (kept.id === null || codeOf(error) !== 'gone') throw error
    return await send(nothingKept)
  }
}

/** Nothing of an app that is not there yet, nor by a rack that is older than the question. */
async function keptSource(client: Client, app: string): Promise<KeptSource> {
  try {
    return await client.getKeptSource({ params: { app } })
  } catch (error) {
    if (codeOf(error) === 'not-found') return nothingKept
    throw error
  }
}
