import { followStream } from '../../client/follow-stream.ts'
import { appArchivePlace, type AppExportScope } from '../../domain/app-archive.ts'
import { codeOf, RackError } from '../../domain/error.ts'
import type { CommandSpec } from '../command-spec.ts'
import { leaveOnInterrupt, refuseTerminal, saveArchive, tellTo } from '../files/backup-files.ts'
import { openMeter } from '../files/meter.ts'
import { appExportFile, headed, makeSealingKey, openSealedFile, secretOptions } from '../files/sealed-file.ts'
import { startFollowing } from '../follow.ts'
import { showPromoted } from '../output/promoted.ts'
import { ago } from '../output/times.ts'
import type { Session } from '../session.ts'
import { cancelOfPromote } from './releases.ts'

/** `rack apps export`. */
export const exportApp: CommandSpec = {
  name: 'export',
  arguments: '[app]',
  summary: 'write an app with its releases, environment and data to one sealed file',
  description: [
    'Releases with their compose files, environments, builds and links, kept sources, scale, domains, the data of its volumes,',
    'and the images of what is live. It goes on meanwhile: what processes write while a volume is read may be in it or not.',
    'It is sealed by a passphrase, or a key file: without that nothing of it can be read, by nobody.',
    'What is not in it is said. Needs a token with the role admin. Bring it into another rack with: rack apps import FILE',
  ].join('\n'),
  examples: [
    'apps export guestbook',
    'apps export guestbook --all-images --key-file key --output guestbook.app',
    'apps export guestbook --no-volumes --passphrase-file pass --output -',
  ],
  options: [
    {
      flags: '-o, --output <file>',
      meaning: 'where to, or - for standard output (APP-TIME.app, in this directory)',
    },
    { flags: '--no-volumes', meaning: 'without the data of its volumes' },
    { flags: '--no-images', meaning: 'without images: it has to be built again elsewhere' },
    { flags: '--all-images', meaning: 'images of earlier releases too, as far as the rack keeps them' },
    ...secretOptions,
  ],
  needs: 'app',
  async run(session) {
    const { options, output, world, isJson } = session
    const to = options.text('output')
    refuseTerminal(session, to, { what: 'an app' })
    const query = scopeOf(session)
    const { name: app } = session.app({ positional: session.args[0] })
    const params = { app }
    const client = await session.connect()
    const contents = await client.planAppExport({ params, query })
    if (!isJson) for (const lack of contents.lacks) output.say(`not in it: ${lack}`)
    const { key, head } = await makeSealingKey(session, appExportFile)
    const sealing = await world.sealing(key)
    using leaving = leaveOnInterrupt(session, 'the export was ended: nothing of it is there')
    const { signal } = leaving
    const sealed = sealing.seal(client.exportApp({ params, query }, { signal }), appArchivePlace(head))
    const file = to ?? `${app}-${contents.created.replaceAll(/[:.]/g, '')}.app`
    const remark = `bring it in elsewhere: rack apps import ${file}`
    await saveArchive(session, { archive: headed(head, sealed), to: file, facts: contents, remark }, signal)
    if (!isJson && file !== '-') output.data(file)
  },
}

function scopeOf({ options }: Session): AppExportScope {
  const [none, all] = [options.isOff('images'), options.flag('all-images')]
  if (none && all) throw new RackError('usage', 'either --no-images or --all-images')
  return { images: none ? 'none' : all ? 'all' : 'live', volumes: !options.isOff('volumes') }
}

/** `rack apps import`. */
export const importApp: CommandSpec = {
  name: 'import',
  arguments: '<file>',
  summary: 'bring in an app from a file of rack apps export, or from standard input as -',
  description: [
    'The app is there with all that the file holds, or not at all: everything is read before anything is touched, and what',
    'fails later, Ctrl-C included, leaves nothing behind. Nothing of it runs until a release is promoted.',
    'Links lead to the services of the same names here, by logins of their own; services have to be there, and their data is',
    'brought by rack services export and import. Needs a token with the role admin, for all apps.',
    'An app that still runs elsewhere goes on: stop it first, or both run the same timers.',
  ].join('\n'),
  examples: [
    'apps import guestbook.app',
    'apps import guestbook.app --promote',
    'apps import guestbook.app --name guestbook-2 --key-file key',
    'apps import - --passphrase-file pass < guestbook.app',
  ],
  options: [
    { flags: '--name <name>', meaning: 'what it is called here' },
    { flags: '--promote', meaning: 'make live what was live; refused beforehand where that cannot be' },
    ...secretOptions,
  ],
  needs: 'rack',
  async run(session) {
    const { options, output, isJson } = session
    const isNext = options.flag('promote')
    const client = await session.connect()
    const query = { isNext, ...named(options.text('name')) }
    const imported = await send(
      session,
      async (content, leaving) =>
        await followStream(client.importApp({ query, content }, leaving), tellTo(session)),
    )
    const { app, release, isGoneBackTo, releases, from, notes } = imported
    if (isJson && !isNext) return output.json(imported)
    const was = from.app === app ? `it was on ${from.rack}` : `${from.app} was on ${from.rack}`
    output.say(
      `${app} is here, as ${was} ${ago(from.created)} (${releases} releases); nothing of it runs yet`,
    )
    for (const note of notes) output.say(note)
    if (release === null) return output.say(`it has no build yet: rack deploy --app ${app}`)
    if (!isNext) {
      output.data(app)
      return output.say(
        `make it live: rack releases ${isGoneBackTo ? 'rollback' : 'promote'} ${release} --app ${app}`,
      )
    }
    using following = await startFollowing(session)
    const request = { params: { app, release }, query: { releaseCommand: true } }
    const lines = isGoneBackTo ? client.rollbackRelease(request) : client.promoteRelease(request)
    showPromoted(session, following, await following.follow(lines, cancelOfPromote(client, app)), {
      imported,
    })
  },
}

function named(name: string | undefined): { name?: string } {
  return name === undefined ? {} : { name }
}

/** Opens the file on its way to the rack; an interrupt ends both. */
async function send<T>(
  session: Session,
  take: (content: AsyncIterable<Uint8Array>, leaving: { signal: AbortSignal }) => Promise<T>,
): Promise<T> {
  const file = session.args[0]!
  const sealed = await openSealedFile(session, file, appExportFile)
  const sealing = await session.world.sealing(sealed.key)
  using leaving = leaveOnInterrupt(session, 'the import was ended: nothing of it is kept')
  using meter = openMeter(session.output, file)
  const opened = sealing.open(sealed.content(), appArchivePlace(sealed.head))
  return await take(meter.count(whole(opened, file)), leaving)
}

async function* whole(opened: AsyncIterable<Uint8Array>, file: string): AsyncGenerator<Uint8Array> {
  try {
    yield* opened
  } catch (cause) {
    if (codeOf(cause) !== 'store-failed') throw cause
    throw new RackError('invalid', `${file} cannot be used: it is cut, or was altered`, {
      hint: 'Nothing was changed. Take another copy of the file, or export the app again.',
      cause,
    })
  }
}
