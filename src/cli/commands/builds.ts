import type { Client, Reply } from '../../client/client-types.ts'
import { RackError } from '../../domain/error.ts'
import type { CommandSpec } from '../command-spec.ts'
import { confirm } from '../confirm.ts'
import { startFollowing } from '../follow.ts'
import { showBuilt } from '../output/promoted.ts'
import { formatFacts, formatTable } from '../output/table.ts'
import { ago, tookBetween } from '../output/times.ts'
import { rebuild } from '../rebuild.ts'
import type { Session } from '../session.ts'

type Build = Reply<'getBuild'>

const info: CommandSpec = {
  name: 'info',
  arguments: '[build]',
  summary: 'one build: the newest unless named',
  examples: ['builds info', 'builds info BABCDEFGHIJ'],
  needs: 'app',
  async run(session) {
    const { client, app } = await open(session)
    const found = await client.getBuild({ params: { app, build: await namedOrNewest(session, client, app) } })
    if (session.isJson) session.output.json(found)
    else session.output.data(describe(found))
  },
}

const logs: CommandSpec = {
  name: 'logs',
  arguments: '[build]',
  summary: 'the log of a build from its start: of the newest unless named',
  examples: ['builds logs', 'builds logs BABCDEFGHIJ --follow'],
  options: [{ flags: '-f, --follow', meaning: 'until the build has ended' }],
  needs: 'app',
  async run(session) {
    const { output, isJson, options } = session
    const { client, app } = await open(session)
    const build = await namedOrNewest(session, client, app)
    if (isJson) session.beginStream()
    const { phaseText } = await import('../output/progress.ts')
    const query = { follow: options.flag('follow') }
    for await (const line of client.buildLog({ params: { app, build }, query })) {
      if (isJson) output.record(line)
      else if (line.type === 'log') output.data(line.process ? `${line.process} | ${line.text}` : line.text)
      else if (line.state === 'ended') output.data(phaseText(line))
      await output.ready()
    }
  },
}

const cancel: CommandSpec = {
  name: 'cancel',
  arguments: '[build]',
  summary: 'end a running build: the newest unless named',
  examples: ['builds cancel', 'builds cancel BABCDEFGHIJ'],
  needs: 'app',
  async run(session) {
    const { client, app } = await open(session)
    const build = await namedOrNewest(session, client, app)
    const reply = await client.cancelBuild({ params: { app, build } })
    if (session.isJson) session.output.json(reply)
    else session.output.say(`${build} is cancelled`)
  },
}

const again: CommandSpec = {
  name: 'rebuild',
  arguments: '[build]',
  summary: 'build again from the source that the rack keeps: that of the live release unless named',
  description: 'In the newest environment; makes a release, and does not promote it.',
  examples: ['builds rebuild', 'builds rebuild BABCDEFGHIJ --no-cache'],
  options: [
    { flags: '-m, --description <text>', meaning: 'kept with the build and its release' },
    { flags: '--no-cache', meaning: 'build every step again' },
  ],
  needs: 'app',
  async run(session) {
    const { client, app } = await open(session)
    const { options } = session
    const build =
      session.args[0] ?? (await liveBuild(client, app)) ?? (await namedOrNewest(session, client, app))
    using following = await startFollowing(session)
    const asked = { app, build, description: options.text('description'), noCache: options.isOff('cache') }
    showBuilt(session, following, await rebuild(client, following, asked))
  },
}

async function liveBuild(client: Client, app: string): Promise<string | null> {
  const { release } = await client.getApp({ params: { app } })
  return release === null ? null : (await client.getRelease({ params: { app, release } })).build
}

const remove: CommandSpec = {
  name: 'delete',
  arguments: '<build>',
  summary: 'forget a build and its log; not the live one',
  description: 'Asks first; without a terminal it needs --yes.',
  examples: ['builds delete BABCDEFGHIJ', 'builds delete BABCDEFGHIJ --yes'],
  options: [{ flags: '-y, --yes', meaning: 'do not ask' }],
  needs: 'app',
  async run(session) {
    const { client, app } = await open(session)
    const build = session.args[0]!
    await client.getBuild({ params: { app, build } })
    await confirm(session, `Delete ${build} of ${app} and its log?`, build)
    await client.deleteBuild({ params: { app, build } })
    if (session.isJson) session.output.json(null)
    else session.output.say(`${build} is deleted`)
  },
}

/** `rack builds`. */
export const builds: CommandSpec = {
  name: 'builds',
  arguments: '[app]',
  summary: 'list builds, newest first',
  examples: [
    'builds',
    'builds logs',
    'builds logs BABCDEFGHIJ --follow',
    'builds rebuild',
    'builds cancel',
    'builds guestbook --limit 50',
  ],
  options: [{ flags: '--limit <number>', meaning: 'how many; 20 unless given' }],
  needs: 'app',
  commands: [info, logs, again, cancel, remove],
  async run(session) {
    const { output, options } = session
    const { name: app } = session.app({ positional: session.args[0] })
    const client = await session.connect()
    const list = await client.listBuilds({ params: { app }, query: { limit: options.text('limit') ?? '20' } })
    if (session.isJson) return output.json(list)
    if (list.length === 0)
      return output.say(`${app} has no build yet; make one with: rack build --app ${app}`)
    const { green, red, yellow } = output.colors.data
    const paint = (text: string, { status }: Build) =>
      ({ complete: green, failed: red, running: yellow, created: yellow })[status](text)
    const columns = [
      { heading: 'BUILD', value: ({ id }: Build) => id },
      { heading: 'STATUS', value: ({ status }: Build) => status, paint },
      { heading: 'RELEASE', value: ({ release }: Build) => release },
      { heading: 'CREATED', value: ({ created }: Build) => ago(created) },
      { heading: 'TOOK', value: ({ started, ended }: Build) => tookBetween(started, ended) },
      { heading: 'DESCRIPTION', value: ({ description, reason }: Build) => reason ?? description },
    ]
    output.data(formatTable(columns, list))
  },
}

function describe({ id, app, status, release, description, reason, created, started, ended }: Build): string {
  return formatFacts([
    ['build', id],
    ['app', app],
    ['status', status],
    ['reason', reason ?? undefined],
    ['release', release],
    ['description', description],
    ['created', `${created} (${ago(created)})`],
    ['took', tookBetween(started, ended)],
  ])
}

async function open(session: Session): Promise<{ client: Client; app: string }> {
  const { name: app } = session.app()
  return { client: await session.connect(), app }
}

async function namedOrNewest(session: Session, client: Client, app: string): Promise<string> {
  if (session.args[0] !== undefined) return session.args[0]
  const [newest] = await client.listBuilds({ params: { app }, query: { limit: 1 } })
  if (newest) return newest.id
  throw new RackError('not-found', `${app} has no build yet`, { hint: `rack build --app ${app}` })
}
