import type { Client } from '../../client/client-types.ts'
import { RackError } from '../../domain/error.ts'
import type { Terminal } from '../../domain/terminal.ts'
import { pulled } from '../../lib/pulled.ts'
import { formatBytes } from '../../lib/sizes.ts'
import type { CommandSpec, OptionSpec } from '../command-spec.ts'
import { openMeter } from '../files/meter.ts'
import type { Session } from '../session.ts'
import { leaveOnInterrupt, refuseTerminal, saveArchive } from '../files/backup-files.ts'

const database: OptionSpec = {
  flags: '--database <name>',
  meaning: 'which one, where the server has several',
}

/** `rack services export`. */
export const exportData: CommandSpec = {
  name: 'export',
  arguments: '<service>',
  summary: "write a service's data as its type's own tools do: for them to read, here or elsewhere",
  description: [
    "postgres: one database in pg_dump's custom format, for pg_restore. mysql, mariadb: the statements of one database. redis,",
    'valkey: an RDB. mongo: the archive of one database. rabbitmq: definitions, no messages. The service goes on meanwhile.',
    'A backup, which the rack keeps, sealed, and with all of the databases and users: rack services backup.',
  ].join('\n'),
  examples: [
    'services export main > shop.dump',
    'services export main --database shop_db --output shop.dump',
    'services export cache --output cache.rdb',
  ],
  options: [database, { flags: '-o, --output <file>', meaning: 'a file, or - for standard output' }],
  needs: 'rack',
  async run(session) {
    const { args, options } = session
    const service = args[0]!
    const to = options.text('output') ?? '-'
    refuseTerminal(session, to, { what: 'a dump', hint: `rack services export ${service} --output FILE` })
    const client = await session.connect()
    using leaving = leaveOnInterrupt(session, 'the export was ended: what has come of it is not whole')
    const archive = readDump(session, client, leaving.signal)
    const facts = { service, database: options.text('database') ?? null }
    await saveArchive(session, { archive, to, facts }, leaving.signal)
  },
}

function readDump(session: Session, client: Client, signal: AbortSignal): AsyncIterable<Uint8Array> {
  const { args, options } = session
  const name = options.text('database')
  const input = { params: { service: args[0]! }, query: name === undefined ? {} : { database: name } }
  return pulled((push, left) =>
    client.exportService(input, dumpTerminal(session, null, push), {
      signal: AbortSignal.any([signal, left]),
    }),
  )
}

/** `rack services import`. */
export const importData: CommandSpec = {
  name: 'import',
  arguments: '<service>',
  summary: "put a dump of its type's own tools, from standard input, into a service",
  description: [
    'As rack services export writes it, or as the tools themselves do. Into a database that is empty; with --force over what is',
    'there: what has the same name is replaced, the rest stays (redis, valkey: all of it is replaced).',
    "In postgres it is there whole or not at all, and belongs to the database's owner, whoever owned it elsewhere. redis and",
    'valkey are stopped, and started with it, once it was found to be one they read. In the others what came before a failure stays.',
    'Plain statements are no such dump in postgres: rack services console main --database shop_db < dump.sql',
  ].join('\n'),
  examples: [
    'services import main < shop.dump',
    'services import main --database shop_db --force < shop.dump',
    'pg_dump --format custom shop | rack services import main --database desk_db',
  ],
  options: [database, { flags: '--force', meaning: 'although something is there' }],
  needs: 'rack',
  async run(session) {
    const { args, options, output, world, isJson } = session
    const service = args[0]!
    if (world.stdin.isTTY) {
      throw new RackError('usage', 'a dump does not come from a terminal', {
        hint: `rack services import ${service} < FILE`,
      })
    }
    const client = await session.connect()
    const named = options.text('database')
    const query = { force: options.flag('force'), ...(named !== undefined && { database: named }) }
    using leaving = leaveOnInterrupt(session, `the import was ended: see what is there before the next`)
    using meter = openMeter(output, service)
    const terminal = dumpTerminal(session, meter.count(world.stdin as AsyncIterable<Uint8Array>))
    try {
      await client.importService({ params: { service }, query }, terminal, leaving)
    } finally {
      world.stdin.pause()
    }
    if (isJson) output.json({ service, database: named ?? null, bytes: meter.bytes })
    else output.say(`${service} has it (${formatBytes(meter.bytes)})`)
  },
}

/** What the rack says beside the data is said here, a line at a time. */
function dumpTerminal(
  { output }: Session,
  input: AsyncIterable<Uint8Array> | null,
  take: (chunk: Uint8Array) => Promise<void> = async () => undefined,
): Terminal {
  return {
    tty: false,
    rows: 24,
    columns: 80,
    input,
    output: async (stream, chunk) => {
      if (stream === 'stdout') return await take(chunk)
      for (const line of new TextDecoder().decode(chunk).split('\n')) if (line !== '') output.say(line)
    },
    onResize: () => undefined,
  }
}
