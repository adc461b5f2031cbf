import { resolve } from 'node:path'
import type { Client, Reply } from '../../client/client-types.ts'
import type { CommandSpec } from '../command-spec.ts'
import { confirm } from '../confirm.ts'
import { writeWhole } from '../files/write-whole.ts'
import { formatTable } from '../output/table.ts'
import { ago, ahead } from '../output/times.ts'
import type { Session } from '../session.ts'

type Share = Reply<'listShares'>[number]
type Made = Reply<'shareService'>

/** `rack services share`. */
export const share: CommandSpec = {
  name: 'share',
  arguments: '<service>',
  summary: 'give a service that runs here to one other rack',
  description: [
    'Prints one line, once: whoever has it reaches the service, and logs in there. The other rack takes it by',
    'rack services create shared --from. Its connections are encrypted, and come in by a certificate of their own.',
    'The first share opens port 7443: rack parameters set shares.port=PORT shares.bind=ADDRESS.',
  ].join('\n'),
  examples: [
    'services share main --as office --output main.share',
    'services share main --as office --address db.example.com --allow 192.0.2.0/24 --expires 30d',
  ],
  options: [
    { flags: '--as <consumer>', meaning: 'how the other rack is called here; rack-1 and so on unless given' },
    {
      flags: '--allow <range>',
      meaning: 'an address or network from which it may come in; everywhere unless given',
      multiple: true,
    },
    { flags: '--address <host[:port]>', meaning: 'where it finds this rack' },
    { flags: '--expires <duration>', meaning: 'when it is over, such as 30d; never unless given' },
    { flags: '-o, --output <file>', meaning: 'a file that only you may read, in place of the terminal' },
  ],
  needs: 'rack',
  async run(session) {
    const { args, options, output, isJson } = session
    const service = args[0]!
    const client = await session.connect()
    const made = await client.shareService({ params: { service }, body: wishOf(session) })
    const { share: given, line, warning } = made
    const file = options.text('output')
    if (file !== undefined) await keepLine(session, client, made, file)
    const { line: _secret, ...told } = made
    if (isJson) output.json(file === undefined ? made : told)
    else if (file === undefined) output.data(line)
    if (warning !== null) output.say(output.colors.say.yellow(warning))
    const until = given.expires === null ? '' : ` until ${given.expires}`
    output.say(`${service} is shared with ${given.consumer}${until}: it comes in at ${given.address}`)
    output.say(`there: rack services create shared --name ${service} --from ${file ?? 'LINE'}`)
  },
}

function wishOf({ options }: Session) {
  const [consumer, address, expires] = ['as', 'address', 'expires'].map((name) => options.text(name))
  const allow = options.list('allow').flatMap((text) => text.split(',').map((range) => range.trim()))
  return {
    ...(consumer !== undefined && { consumer }),
    ...(address !== undefined && { address }),
    ...(expires !== undefined && { expires }),
    ...(allow.length > 0 && { allow }),
  }
}

/** A line that nobody has is of no use to anybody: what cannot be written is taken back. */
async function keepLine(
  { world }: Session,
  client: Client,
  { share: { service, consumer }, line }: Made,
  file: string,
): Promise<void> {
  try {
    await writeWhole(resolve(world.cwd, file), textOf(line), new AbortController().signal)
  } catch (error) {
    await client.unshareService({ params: { service }, query: { consumer } })
    throw error
  }
}

async function* textOf(line: string): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(`${line}\n`)
}

/** `rack services unshare`. */
export const unshare: CommandSpec = {
  name: 'unshare',
  arguments: '<service>',
  summary: 'take a service back from another rack',
  description:
    'Its connections end at once, and its login goes; what it has kept there stays. Asks first; without a terminal it needs --yes.',
  examples: ['services unshare main', 'services unshare main --consumer office --yes'],
  options: [
    { flags: '--consumer <name>', meaning: 'which rack, where several have it' },
    { flags: '-y, --yes', meaning: 'do not ask' },
  ],
  needs: 'rack',
  async run(session) {
    const { args, options, output, isJson } = session
    const service = args[0]!
    const client = await session.connect()
    const named = options.text('consumer')
    const own = (await client.listShares()).filter((each) => each.service === service)
    const consumer = named ?? (own.length === 1 ? own[0]!.consumer : undefined)
    // What cannot be is refused before anybody is asked.
    if (consumer !== undefined && own.some((each) => each.consumer === consumer)) {
      await confirm(session, `Take ${service} back from ${consumer}? Its connections end.`, service)
    }
    const query = consumer === undefined ? {} : { consumer }
    await client.unshareService({ params: { service }, query })
    if (isJson) return output.json(null)
    output.say(`${service} is not shared with ${consumer} any more`)
  },
}

/** `rack services shares`. */
export const shares: CommandSpec = {
  name: 'shares',
  summary: 'which services other racks have',
  examples: ['services shares', 'services shares --json'],
  needs: 'rack',
  async run({ connect, output, isJson }) {
    const found = await (await connect()).listShares()
    if (isJson) return output.json(found)
    if (found.length === 0)
      return output.say('nothing is shared; share a service with: rack services share NAME --as CONSUMER')
    const columns = [
      { heading: 'SERVICE', value: ({ service }: Share) => service },
      { heading: 'CONSUMER', value: ({ consumer }: Share) => consumer },
      { heading: 'STATUS', value: ({ status }: Share) => status },
      { heading: 'AT', value: ({ address }: Share) => address },
      {
        heading: 'ALLOWED FROM',
        value: ({ allow }: Share) => (allow.length === 0 ? 'anywhere' : allow.join(', ')),
      },
      { heading: 'SINCE', value: ({ created }: Share) => ago(created) },
      { heading: 'EXPIRES', value: ({ expires }: Share) => (expires === null ? 'never' : ahead(expires)) },
    ]
    output.data(formatTable(columns, found))
  },
}
