import type { Client, Reply } from '../../client/client-types.ts'
import { describeLack } from '../../domain/app-health.ts'
import { RackError } from '../../domain/error.ts'
import { formatBytes } from '../../lib/sizes.ts'
import type { CommandSpec } from '../command-spec.ts'
import { confirm } from '../confirm.ts'
import { startFollowing } from '../follow.ts'
import { receiptText } from '../output/promoted.ts'
import { formatFacts, formatTable } from '../output/table.ts'
import { ago } from '../output/times.ts'
import { describeLacks } from '../output/lacks.ts'
import { describeUnserved } from '../output/unserved.ts'
import type { Session } from '../session.ts'
import { exportApp, importApp } from './app-moves.ts'

const create: CommandSpec = {
  name: 'create',
  arguments: '[app]',
  summary: 'create an app; rack deploy does it by itself',
  examples: ['apps create guestbook'],
  needs: 'app',
  run: (session) => onApp(session, 'is created', (client, name) => client.createApp({ body: { name } })),
}

const info: CommandSpec = {
  name: 'info',
  arguments: '[app]',
  summary: 'where an app answers, what runs, what is changing',
  examples: ['apps info guestbook'],
  needs: 'app',
  async run(session) {
    const { name: app } = session.app({ positional: session.args[0] })
    const client = await session.connect()
    const found = await client.getApp({ params: { app } })
    if (session.isJson) session.output.json(found)
    else session.output.data(describe(found))
    for (const line of describeLacks(found)) session.output.say(line)
    for (const port of found.unservedPorts) session.output.say(describeUnserved(port))
  },
}

const remove: CommandSpec = {
  name: 'delete',
  arguments: '[app]',
  summary: 'delete an app, its processes and its history',
  description: [
    'Its volumes stay unless --volumes is given. Asks first; without a terminal it needs --yes, and --unlink for an app',
    'that links a service; the service and its data stay.',
  ].join('\n'),
  examples: ['apps delete guestbook', 'apps delete guestbook --volumes --yes'],
  options: [
    { flags: '--volumes', meaning: 'its data too' },
    { flags: '--unlink', meaning: 'its links to services too' },
    { flags: '-y, --yes', meaning: 'do not ask' },
  ],
  needs: 'app',
  async run(session) {
    const { name: app } = session.app({ positional: session.args[0] })
    const volumes = session.options.flag('volumes')
    const client = await session.connect()
    await client.getApp({ params: { app } })
    const links = linkedServices(await client.listLinks({ query: { app } }))
    const unlinks = links === '' ? '' : `, and its links to ${links}`
    const what = `${app} and its history${volumes ? ', and all of its data' : ''}${unlinks}`
    await confirm(session, `Delete ${what}?`, app)
    // Whoever was asked has heard of the links.
    const unlink = session.options.flag('unlink') || !session.options.flag('yes')
    const left = volumes ? [] : await client.listVolumes({ query: { app, sizes: false } })
    using following = await startFollowing(session)
    const lines = client.deleteApp({ params: { app }, query: { volumes, unlink } })
    await following.follow(lines, { what: `the removal of ${app}`, call: null })
    following.result(null)
    following.note(
      `${app} is deleted${left.length > 0 ? '; its volumes stay (rack volumes shows them)' : ''}`,
    )
  },
}

function linkedServices(links: Reply<'listLinks'>): string {
  return [...new Set(links.map(({ service }) => service))].join(', ')
}

const lock: CommandSpec = {
  name: 'lock',
  arguments: '[app]',
  summary: 'protect an app against deletion',
  examples: ['apps lock guestbook'],
  needs: 'app',
  run: (session) => onApp(session, 'is locked', (client, app) => client.lockApp({ params: { app } })),
}

const unlock: CommandSpec = {
  name: 'unlock',
  arguments: '[app]',
  summary: 'let an app be deleted again',
  examples: ['apps unlock guestbook'],
  needs: 'app',
  run: (session) => onApp(session, 'is unlocked', (client, app) => client.unlockApp({ params: { app } })),
}

const cancel: CommandSpec = {
  name: 'cancel',
  arguments: '[app]',
  summary: 'end the running change; what ran before runs on',
  examples: ['apps cancel guestbook'],
  needs: 'app',
  async run({ app, args, connect, output, isJson }) {
    const { name } = app({ positional: args[0] })
    const client = await connect()
    const ended = await client.cancelApp({ params: { app: name } })
    if (isJson) output.json(ended)
    else output.say(describeCancelled(ended))
  },
}

function describeCancelled({ app, kind, status, intent, error }: Reply<'cancelApp'>): string {
  if (status === 'complete') {
    const { release } = intent
    return `${app}: the ${kind} was over before it could be ended${release ? `; ${release} is live` : ''}`
  }
  if (status === 'running') return `${app}: not all of what ran before is back yet; see: rack ps`
  return `${app}: ${error?.message ?? `the ${kind} is ${status}`}`
}

/** `rack apps`. */
export const apps: CommandSpec = {
  name: 'apps',
  summary: 'list apps',
  examples: [
    'apps',
    'apps info guestbook',
    'apps create guestbook',
    'apps cancel guestbook',
    'apps delete guestbook',
    'apps export guestbook',
  ],
  needs: 'app',
  commands: [create, info, remove, lock, unlock, cancel, exportApp, importApp],
  async run({ connect, output, isJson }) {
    const client = await connect()
    const list = await client.listApps()
    if (isJson) return output.json(list)
    if (list.length === 0) return output.say('no apps yet; the first comes with: rack deploy')
    const columns = [
      { heading: 'APP', value: (app: Reply<'listApps'>[number]) => app.name },
      { heading: 'STATUS', value: (app: Reply<'listApps'>[number]) => app.status },
      { heading: 'RELEASE', value: (app: Reply<'listApps'>[number]) => app.release },
      { heading: 'LOCKED', value: (app: Reply<'listApps'>[number]) => (app.locked ? 'yes' : 'no') },
      { heading: 'CREATED', value: (app: Reply<'listApps'>[number]) => ago(app.created) },
    ]
    output.data(formatTable(columns, list))
    for (const line of list.flatMap(describeLacks)) output.say(line)
    for (const port of list.flatMap(({ unservedPorts }) => unservedPorts)) output.say(describeUnserved(port))
  },
}

/** `rack open`. */
export const open: CommandSpec = {
  name: 'open',
  arguments: '[app]',
  summary: 'open an app in the browser, and print where it is',
  examples: ['open', 'open guestbook', 'open --print'],
  options: [
    { flags: '-t, --type <type>', meaning: 'the process type' },
    { flags: '--print', meaning: 'print the address only' },
  ],
  needs: 'app',
  async run(session) {
    const { output, options, isJson } = session
    const { name: app } = session.app({ positional: session.args[0] })
    const client = await session.connect()
    const { endpoints } = await client.getApp({ params: { app } })
    const type = options.text('type')
    const found = endpoints.find((endpoint) => type === undefined || endpoint.process === type)
    if (!found) {
      throw new RackError('not-found', `${type ? `${app}/${type}` : app} serves nothing to the outside`, {
        hint: 'An external port makes an address: ports: ["80:3000"]; rack deploy makes it live.',
      })
    }
    if (isJson) return output.json(found)
    output.data(found.url)
    if (!options.flag('print') && session.world.stdout.isTTY) await openBrowser(found.url)
  },
}

async function openBrowser(url: string): Promise<void> {
  const { spawn } = process.getBuiltinModule('node:child_process')
  const program = process.platform === 'darwin' ? 'open' : 'xdg-open'
  const child = spawn(program, [url], { detached: true, stdio: 'ignore' })
  const { promise, resolve } = Promise.withResolvers<void>()
  // Where there is no browser, the printed address is the answer.
  child.once('error', () => resolve())
  child.once('spawn', () => resolve())
  await promise
  child.unref()
}

async function onApp(
  { app, args, connect, output, isJson }: Session,
  done: string,
  call: (client: Client, app: string) => Promise<unknown>,
): Promise<void> {
  const { name } = app({ positional: args[0] })
  const client = await connect()
  const reply = await call(client, name)
  if (isJson) output.json(reply)
  else output.say(`${name} ${done}`)
}

function describeChanged({ kind, actor, started, receipt }: NonNullable<Reply<'getApp'>['changed']>): string {
  return `${ago(started)}: ${kind} by ${actor}${receipt ? `: ${receiptText(receipt)}` : ''}`
}

function describeHealed({ status, started, intent }: NonNullable<Reply<'getApp'>['healed']>): string {
  const lacks = (intent.lacks ?? []).map(describeLack).join('; ')
  const how = { running: 'being brought back', complete: 'brought back', failed: 'not brought back' }
  const end = status === 'cancelled' ? 'ended for a change' : how[status]
  return `${ago(started)}: ${lacks}: ${end}`
}

function describe(app: Reply<'getApp'>): string {
  const { operation } = app
  const head = formatFacts([
    ['app', app.name],
    ['status', app.status],
    ['release', app.release],
    ['locked', app.locked ? 'yes' : 'no'],
    ['created', `${app.created} (${ago(app.created)})`],
    [
      'changing',
      operation ? `${operation.kind} by ${operation.actor} since ${operation.started}` : undefined,
    ],
    ['changed', app.changed ? describeChanged(app.changed) : undefined],
    ['healed', app.healed ? describeHealed(app.healed) : undefined],
    ...app.endpoints.map(({ process: type, url }): [string, string] => [`address of ${type}`, url]),
  ])
  const types = Object.entries(app.formation)
  if (types.length === 0) return head
  type Row = (typeof types)[number]
  const columns = [
    { heading: 'TYPE', value: ([type]: Row) => type },
    { heading: 'COUNT', value: ([, { count }]: Row) => count, align: 'right' as const },
    { heading: 'CPU', value: ([, { cpuUnits }]: Row) => cpuUnits, align: 'right' as const },
    {
      heading: 'MEMORY',
      value: ([, { memoryBytes }]: Row) => formatBytes(memoryBytes),
      align: 'right' as const,
    },
  ]
  return `${head}\n${formatTable(columns, types)}`
}
