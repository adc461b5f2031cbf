import type { Client, Reply } from '../../client/client-types.ts'
import { RackError } from '../../domain/error.ts'
import type { CommandSpec, OptionSpec } from '../command-spec.ts'
import { checkTable } from '../output/link-checks.ts'
import { linkGraph, linkTree } from '../output/links.ts'
import type { Session } from '../session.ts'
import { promoteRelease, withoutCommand } from './releases.ts'

const promoteOption: OptionSpec = { flags: '--promote', meaning: 'make the new release live at once' }

const nowOption: OptionSpec = {
  flags: '--now',
  meaning: 'with --promote: end the old login at once, and its sessions, though processes still drain',
}

const create: CommandSpec = {
  name: 'create',
  arguments: '<service>',
  summary: 'give an app a service: makes a release',
  description: [
    'Its processes get NAME_URL, NAME_HOST, NAME_PORT, NAME_USERNAME, NAME_PASSWORD, NAME_PATH and NAME_SCHEME.',
    'A process of that name is a stand-in: it is not started while the app is linked, and keeps its data.',
    'What is not said again of a link that is there stays as it is.',
  ].join('\n'),
  examples: [
    'links create main',
    'links create main --as db --promote',
    'links create main --process web,worker',
    'links create main --database shared',
    'links create cache --key-prefix shop:',
  ],
  options: [
    { flags: '--as <name>', meaning: "the name inside the app; the service's unless given" },
    { flags: '--process <types>', meaning: 'only these have the link, such as web,worker; all unless given' },
    {
      flags: '--database <name>',
      meaning:
        "links that say the same share a database, each by a login of its own; the link's own unless given",
    },
    {
      flags: '--key-prefix <prefix>',
      meaning: 'of redis and valkey: the login reaches the keys alone that begin so',
    },
    promoteOption,
    withoutCommand,
  ],
  needs: 'app',
  async run(session) {
    const { client, app, word: service } = await open(session)
    const text = (name: string) => session.options.text(name)
    const [alias, types] = [text('as'), text('process')]
    const [database, keyPrefix] = [text('database'), text('key-prefix')]
    const body = {
      service,
      ...(alias !== undefined && { alias }),
      ...(types !== undefined && { processes: types.split(',').map((type) => type.trim()) }),
      ...(database !== undefined && { database }),
      ...(keyPrefix !== undefined && { keyPrefix }),
    }
    await finish(session, client, await client.createLink({ params: { app }, body }))
  },
}

const rotate: CommandSpec = {
  name: 'rotate',
  arguments: '<link>',
  summary: 'give a link another login: makes a release',
  description: 'The old login is revoked when no process and no release that may be live has it any more.',
  examples: [
    'links rotate db --promote',
    'links rotate main --app guestbook',
    'links rotate db --promote --now',
  ],
  options: [promoteOption, nowOption, withoutCommand],
  needs: 'app',
  async run(session) {
    const { client, app, word: link } = await open(session)
    refuseNow(session, `rotate ${link}`)
    const changed = await client.rotateLink({ params: { app, link } })
    await finish(session, client, changed)
    await revokeNow(session, client, changed)
  },
}

const remove: CommandSpec = {
  name: 'delete',
  arguments: '<link>',
  summary: 'take a service from an app: makes a release',
  description: [
    'By the name of the link, or of its service. What is in the service stays: rack services drop-data ends it.',
    'Its login is revoked when no process has it any more, or at once with --now.',
  ].join('\n'),
  examples: [
    'links delete db',
    'links delete main --app guestbook --promote',
    'links delete db --promote --now',
  ],
  options: [promoteOption, nowOption, withoutCommand],
  needs: 'app',
  async run(session) {
    const { client, app, word: link } = await open(session)
    refuseNow(session, `delete ${link}`)
    const changed = await client.deleteLink({ params: { app, link } })
    await finish(session, client, changed)
    await revokeNow(session, client, changed)
  },
}

const check: CommandSpec = {
  name: 'check',
  summary: 'open each link from inside its app, and log in where the type can',
  description: [
    'Of what is live, in every app of the rack unless --app is given. A copy that has the link opens it, with a program of its image:',
    "bash, nc, python3 or node; where it has none of them, the rack does. A service's own client then logs in as the link does.",
    'Exit code 1 if one cannot be used.',
  ].join('\n'),
  examples: ['links check', 'links check --app guestbook', 'links check --json'],
  needs: 'app',
  async run({ connect, options, output, isJson }) {
    const client = await connect()
    const app = options.text('app')
    const found = await client.checkLinks({ body: { ...(app !== undefined && { app }) } })
    const failed = found.filter(({ problem }) => problem !== null)
    if (isJson) output.json(found)
    else if (found.length === 0) output.say(`${app ?? 'this rack'} has no links of what is live`)
    else output.data(checkTable(found, output.colors.data))
    if (failed.length > 0) output.say(`${failed.length} of ${found.length} links cannot be used`)
    return failed.length > 0 ? 1 : 0
  },
}

/** `rack links`. */
export const links: CommandSpec = {
  name: 'links',
  summary: 'which app has which service, which process links which, and by what name',
  description:
    'Of every app of the rack unless --app is given. Links between processes are those of what is live.',
  examples: [
    'links',
    'links --app guestbook',
    'links create main --as db --promote',
    'links check',
    'links --dot > links.dot',
  ],
  options: [{ flags: '--dot', meaning: 'as a graph for Graphviz' }],
  needs: 'app',
  commands: [create, rotate, remove, check],
  async run({ connect, options, output, isJson }) {
    const client = await connect()
    const app = options.text('app')
    const query = { ...(app !== undefined && { app }) }
    const [found, between] = await Promise.all([
      client.listLinks({ query }),
      client.listProcessLinks({ query }),
    ])
    if (isJson) return output.json({ services: found, processes: between })
    if (options.flag('dot')) return output.data(linkGraph(found, between))
    if (found.length + between.length === 0)
      return output.say(
        `${app ?? 'this rack'} has no links; make one with: rack links create SERVICE --app APP`,
      )
    output.data(linkTree(found, between))
  },
}

async function finish(session: Session, client: Client, changed: Reply<'createLink'>): Promise<void> {
  const { output, options, isJson } = session
  const { release, isNew, notes } = changed
  const { id, app, description } = release
  if (!isNew) output.say(`nothing was changed: ${id} has this link already`)
  for (const note of notes) output.say(output.colors.say.yellow(note))
  if (options.flag('promote')) {
    output.say(`${id} of ${app}: ${description}`)
    return await promoteRelease(session, client, app, id)
  }
  if (isJson) return output.json(changed)
  output.data(id)
  output.say(`${description}; make it live: rack releases promote ${id} --app ${app}`)
}

/** Of a release that is not made live, what runs would lose its login. @throws usage */
function refuseNow({ options }: Session, command: string): void {
  if (!options.flag('now') || options.flag('promote')) return
  throw new RackError('usage', '--now is said with --promote: what runs has the login still', {
    hint: `rack links ${command} --promote --now`,
  })
}

async function revokeNow(
  { options, output }: Session,
  client: Client,
  { alias, release: { app } }: Reply<'deleteLink'>,
): Promise<void> {
  if (!options.flag('now')) return
  const { revoked } = await client.revokeLogins({ params: { app, link: alias } })
  output.say(
    revoked === 0 ? 'no login was left to revoke' : 'the old login is revoked, and its sessions are ended',
  )
}

async function open(session: Session): Promise<{ client: Client; app: string; word: string }> {
  const { name: app } = session.app()
  return { client: await session.connect(), app, word: session.args[0]! }
}
