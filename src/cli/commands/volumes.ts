import type { Client, Reply } from '../../client/client-types.ts'
import { holderText } from '../../domain/volume.ts'
import { formatBytes } from '../../lib/sizes.ts'
import type { CommandSpec, OptionSpec } from '../command-spec.ts'
import { confirm } from '../confirm.ts'
import { formatFacts, formatTable, type Column } from '../output/table.ts'
import { ago } from '../output/times.ts'
import type { Session } from '../session.ts'
import { volumePlace } from '../volume-place.ts'
import { backup, restore } from './volume-backups.ts'

type Volume = Reply<'getVolume'>

const sizeOption: OptionSpec = { flags: '--size', meaning: 'measure what lies in it: slow where much does' }

const info: CommandSpec = {
  name: 'info',
  arguments: '<app/volume>',
  summary: 'one volume: who mounts it, and what has it',
  examples: ['volumes info guestbook/data', 'volumes info data --app guestbook --size'],
  options: [sizeOption],
  needs: 'app',
  async run(session) {
    const { client, app, volume } = await open(session)
    const query = { sizes: session.options.flag('size') }
    const found = await client.getVolume({ params: { app, volume }, query })
    if (session.isJson) session.output.json(found)
    else session.output.data(describe(found, query.sizes))
  },
}

const remove: CommandSpec = {
  name: 'delete',
  arguments: '<app/volume>',
  summary: 'delete a volume and all that lies in it',
  description: [
    'Refused while the live release mounts it or a process has it. The volume of a deleted app can be deleted too.',
    'Asks first; without a terminal it needs --yes.',
  ].join('\n'),
  examples: ['volumes delete guestbook/data', 'volumes delete data --app guestbook --yes'],
  options: [{ flags: '-y, --yes', meaning: 'do not ask' }],
  needs: 'app',
  async run(session) {
    const { client, app, volume } = await open(session)
    await client.getVolume({ params: { app, volume } })
    await confirm(session, `Delete the volume ${volume} of ${app}, and all that lies in it?`, volume)
    await client.deleteVolume({ params: { app, volume } })
    if (session.isJson) session.output.json(null)
    else session.output.say(`${volume} of ${app} is deleted`)
  },
}

/** `rack volumes`. */
export const volumes: CommandSpec = {
  name: 'volumes',
  summary: "list volumes: the apps' data",
  description: [
    'Of every app of the rack unless --app is given. A volume stays when a release no longer mounts it, and when its app',
    'is deleted (unless with its volumes): a new app of that name gets it back.',
  ].join('\n'),
  examples: [
    'volumes',
    'volumes --app guestbook --size',
    'volumes info guestbook/data',
    'volumes backup guestbook/data',
    'volumes delete guestbook/data',
  ],
  options: [sizeOption],
  needs: 'app',
  commands: [info, backup, restore, remove],
  async run({ connect, options, output, isJson }) {
    const client = await connect()
    const app = options.text('app')
    const sizes = options.flag('size')
    const list = await client.listVolumes({ query: { ...(app !== undefined && { app }), sizes } })
    if (isJson) return output.json(list)
    if (list.length === 0) return output.say(`${app ?? 'this rack'} has no volumes`)
    output.data(formatTable(columns(sizes), list))
  },
}

function columns(sizes: boolean): Column<Volume>[] {
  const size: Column<Volume> = { heading: 'SIZE', value: sizeOf, align: 'right' }
  return [
    { heading: 'APP', value: ({ app, leftOver }) => (leftOver ? `${app} (deleted)` : app) },
    { heading: 'VOLUME', value: ({ name }) => name },
    ...(sizes ? [size] : []),
    { heading: 'CREATED', value: ({ created }) => ago(created) },
    { heading: 'USED BY', value: ({ usedBy }) => usedBy.join(', ') },
  ]
}

function describe(volume: Volume, sizes: boolean): string {
  const { app, name, leftOver, created, usedBy, holders } = volume
  return formatFacts([
    ['volume', name],
    ['app', leftOver ? `${app} (deleted)` : app],
    ['size', sizes ? sizeOf(volume) : undefined],
    ['created', created === null ? null : `${created} (${ago(created)})`],
    ['used by', usedBy.join(', ')],
    ['held by', holders.map(holderText).join(', ')],
  ])
}

function sizeOf({ bytes }: Volume): string | null {
  return bytes === null ? null : formatBytes(bytes)
}

async function open(session: Session): Promise<{ client: Client; app: string; volume: string }> {
  const place = volumePlace(session, session.args[0]!)
  return { client: await session.connect(), ...place }
}
