import type { Client } from '../../client/client-types.ts'
import { RackError } from '../../domain/error.ts'
import { unseenText } from '../../domain/unseen-variables.ts'
import { formatDotenv, parseDotenv } from '../../lib/dotenv.ts'
import type { CommandSpec, OptionSpec } from '../command-spec.ts'
import { startFollowing } from '../follow.ts'
import { showBuilt, showPromoted } from '../output/promoted.ts'
import { atBuildText } from '../output/release-diff.ts'
import { formatTable } from '../output/table.ts'
import { readAll } from '../read-all.ts'
import { checkVariables, complaint, readVariables, type Variables } from '../read-variables.ts'
import { rebuild } from '../rebuild.ts'
import type { Session } from '../session.ts'
import { cancelOfPromote, promoteQuery, promoteRelease, withoutCommand } from './releases.ts'

/** Of all that change the environment. */
const changeOptions: OptionSpec[] = [
  { flags: '--build', meaning: 'build again too, from the source that the rack keeps: for what builds read' },
  { flags: '--promote', meaning: 'make the new release live at once' },
  withoutCommand,
]

const get: CommandSpec = {
  name: 'get',
  arguments: '<name>',
  summary: 'the value of one variable',
  examples: ['env get GREETING'],
  needs: 'app',
  async run(session) {
    const { client, app } = await open(session)
    const name = session.args[0]!
    const value = (await client.getEnvironment({ params: { app } }))[name]
    if (value === undefined) {
      throw new RackError('not-found', `${app} has no variable ${name}`, { hint: `rack env --app ${app}` })
    }
    if (session.isJson) session.output.json({ [name]: value })
    else session.output.data(`${value}\n`)
  },
}

const set: CommandSpec = {
  name: 'set',
  arguments: '[variables...]',
  summary: 'set variables: makes a release',
  description:
    'NAME=value words, --env-file, or a .env on standard input (quotes and values of many lines are read).',
  examples: [
    'env set GREETING=hi',
    'env set GREETING=hi --promote',
    'env set API_URL=https://example.com --build --promote',
    'env set --env-file production.env',
    'env set < .env',
  ],
  options: [
    { flags: '--env-file <path>', meaning: 'NAME=value lines; - is standard input' },
    ...changeOptions,
  ],
  needs: 'app',
  async run(session) {
    const { client, app } = await open(session)
    const variables = await givenVariables(session)
    const [newest] = await client.listReleases({ params: { app }, query: { limit: 1 } })
    const release = await client.changeEnvironment({ params: { app }, body: { set: variables, unset: [] } })
    if (release.id === newest?.id)
      session.output.say(`nothing was changed: ${release.id} has these values already`)
    await finish(session, client, release)
  },
}

const unset: CommandSpec = {
  name: 'unset',
  arguments: '<names...>',
  summary: 'remove variables: makes a release',
  examples: ['env unset GREETING', 'env unset A B --promote'],
  options: changeOptions,
  needs: 'app',
  async run(session) {
    const { client, app } = await open(session)
    const unset = session.args
    const present = await client.getEnvironment({ params: { app } })
    const missing = unset.filter((name) => !Object.hasOwn(present, name))
    if (missing.length > 0) {
      throw new RackError('not-found', `${app} has no variable ${missing.join(', ')}`, {
        hint: `rack env --app ${app}`,
      })
    }
    const release = await client.changeEnvironment({ params: { app }, body: { set: {}, unset } })
    await finish(session, client, release)
  },
}

const edit: CommandSpec = {
  name: 'edit',
  summary: 'change the variables in your editor: makes a release',
  examples: ['env edit', 'EDITOR=nano rack env edit --promote'],
  options: changeOptions,
  needs: 'app',
  async run(session) {
    const { client, app } = await open(session)
    const before = await client.getEnvironment({ params: { app } })
    const { editText } = await import('../edit-text.ts')
    const text = await editText(session.world, { name: `${app}.env`, text: formatDotenv(before), complaint })
    const body = changesBetween(before, Object.fromEntries(parseDotenv(text).values))
    if (Object.keys(body.set).length + body.unset.length === 0)
      return session.output.say('nothing was changed')
    const release = await client.changeEnvironment({ params: { app }, body })
    await finish(session, client, release)
  },
}

const diff: CommandSpec = {
  name: 'diff',
  arguments: '[from] [to]',
  summary: 'names that differ: from the live release to the newest unless named',
  description: 'Values are never shown.',
  examples: ['env diff', 'env diff RAAAAAAAAAA RBBBBBBBBBB'],
  needs: 'app',
  async run(session) {
    const { client, app } = await open(session)
    const from = session.args[0] ?? (await liveRelease(client, app))
    const to = session.args[1] ?? (await newestRelease(client, app))
    const found = await client.diffEnvironment({ params: { app }, query: { from, to } })
    if (session.isJson) return session.output.json(found)
    const { added, changed, removed } = found
    const lines = [
      ...added.map((name) => `+ ${name}`),
      ...changed.map((name) => `~ ${name}`),
      ...removed.map((name) => `- ${name}`),
    ]
    if (lines.length === 0) session.output.say('no difference')
    else session.output.data(lines.join('\n'))
    for (const line of [...atBuildText(found.atBuild), ...unseenText(found.unseen)]) session.output.say(line)
  },
}

/** `rack env`. */
export const env: CommandSpec = {
  name: 'env',
  arguments: '[app]',
  summary: 'the variables of an app, as a .env',
  description: 'With --process: the final set of one process type, and where each variable came from.',
  examples: [
    'env',
    'env --process web',
    'env set GREETING=hi --promote',
    'env get GREETING',
    'env --release RABCDEFGHIJ',
  ],
  options: [
    { flags: '-p, --process <type>', meaning: 'what a process type gets in the end' },
    { flags: '--release <id>', meaning: 'of another release than the newest' },
  ],
  needs: 'app',
  commands: [get, set, unset, edit, diff],
  async run(session) {
    const { output, options, isJson } = session
    const { name: app } = session.app({ positional: session.args[0] })
    const client = await session.connect()
    const type = options.text('process')
    if (type !== undefined) return await showProcess(session, client, app, type)
    const found = await client.getEnvironment({
      params: { app },
      query: { release: options.text('release') },
    })
    if (isJson) return output.json(found)
    if (Object.keys(found).length === 0)
      output.say(`${app} has no variables; rack env set NAME=value sets one`)
    else output.data(formatDotenv(found))
  },
}

async function showProcess(
  { output, isJson }: Session,
  client: Client,
  app: string,
  type: string,
): Promise<void> {
  const found = await client.processEnvironment({ params: { app, process: type } })
  if (isJson) return output.json(found)
  type Row = (typeof found)[number]
  const columns = [
    { heading: 'NAME', value: ({ name }: Row) => name },
    {
      heading: 'FROM',
      value: ({ from, shadows }: Row) => (shadows.length > 0 ? `${from}, over ${shadows.join(', ')}` : from),
    },
    { heading: 'VALUE', value: ({ value }: Row) => (value === '' ? '(empty)' : value) },
  ]
  output.data(formatTable(columns, found))
}

async function givenVariables({ args, options, world }: Session): Promise<Variables> {
  const file = options.text('env-file')
  const fromInput = file === '-' || (file === undefined && args.length === 0 && !world.stdin.isTTY)
  const given: Variables = {}
  if (fromInput) Object.assign(given, checkVariables('standard input', await readAll(world.stdin)))
  else if (file !== undefined) Object.assign(given, await readVariables(world.cwd, file))
  for (const word of args) {
    const at = word.indexOf('=')
    if (at < 1)
      throw new RackError('usage', `"${word}" is not NAME=value`, { hint: 'rack env set NAME=value' })
    given[word.slice(0, at)] = word.slice(at + 1)
  }
  if (Object.keys(given).length > 0) return given
  throw new RackError('usage', 'no variables were given', {
    hint: 'rack env set NAME=value, or --env-file FILE, or < FILE',
  })
}

/** What was changed and no more: what somebody else sets meanwhile stays. */
export function changesBetween(before: Variables, after: Variables): { set: Variables; unset: string[] } {
  const changed = Object.entries(after).filter(([name, value]) => before[name] !== value)
  return {
    set: Object.fromEntries(changed),
    unset: Object.keys(before).filter((name) => !Object.hasOwn(after, name)),
  }
}

async function liveRelease(client: Client, app: string): Promise<string> {
  const { release } = await client.getApp({ params: { app } })
  if (release !== null) return release
  throw new RackError('not-found', `${app} has no live release`, { hint: 'rack env diff FROM TO' })
}

async function newestRelease(client: Client, app: string): Promise<string> {
  const [newest] = await client.listReleases({ params: { app }, query: { limit: 1 } })
  if (newest) return newest.id
  throw new RackError('not-found', `${app} has no release yet`, { hint: `rack deploy --app ${app}` })
}

async function finish(
  session: Session,
  client: Client,
  release: { id: string; app: string; build: string | null; description: string },
): Promise<void> {
  const { output, options, isJson } = session
  const { id, app, description } = release
  const builds = options.flag('build')
  await tellEffects(session, client, release, builds)
  if (builds) return await buildAgain(session, client, release)
  if (options.flag('promote')) {
    output.say(`${id} of ${app}: ${description}`)
    return await promoteRelease(session, client, app, id)
  }
  if (isJson) return output.json(release)
  output.data(id)
  output.say(`${description}; make it live: rack releases promote ${id} --app ${app}`)
}

/** A new build of the release's source has what only builds read of the environment; its release is the one to promote. */
async function buildAgain(
  session: Session,
  client: Client,
  { id, app, build, description }: Parameters<typeof finish>[2],
): Promise<void> {
  if (build === null) {
    throw new RackError('conflict', `${id} is made, and ${app} has no build that could be made again`, {
      hint: `Build and promote the source: rack deploy --app ${app}`,
    })
  }
  using following = await startFollowing(session)
  following.note(`${id} of ${app}: ${description}`)
  const made = await rebuild(client, following, { app, build, description })
  if (!session.options.flag('promote')) return showBuilt(session, following, made)
  const params = { app, release: made.release }
  const lines = client.promoteRelease({ params, query: promoteQuery(session) })
  const promoted = await following.follow(lines, cancelOfPromote(client, app))
  showPromoted(session, following, promoted, { build: made.build })
}

/** What has no effect before the next build, or none at all, is said as it is set. */
async function tellEffects(
  { output }: Session,
  client: Client,
  { id, app }: { id: string; app: string },
  builds: boolean,
): Promise<void> {
  const { release: live } = await client.getApp({ params: { app } })
  const query = { from: live ?? id, to: id }
  const { atBuild, unseen } = await client.diffEnvironment({ params: { app }, query })
  const lines = [...(builds ? [] : atBuildText(atBuild)), ...unseenText(unseen)]
  for (const line of lines) output.say(output.colors.say.yellow(line))
}

async function open(session: Session): Promise<{ client: Client; app: string }> {
  const { name: app } = session.app()
  return { client: await session.connect(), app }
}
