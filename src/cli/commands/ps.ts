import type { Client, Reply } from '../../client/client-types.ts'
import { RackError } from '../../domain/error.ts'
import { formatBytes } from '../../lib/sizes.ts'
import type { CommandSpec } from '../command-spec.ts'
import { formatFacts, formatTable, type Column } from '../output/table.ts'
import { ago } from '../output/times.ts'
import { describeLacks } from '../output/lacks.ts'
import { describeUnserved } from '../output/unserved.ts'
import type { Session } from '../session.ts'

type Process = Reply<'getProcess'>

const info: CommandSpec = {
  name: 'info',
  arguments: '<process>',
  summary: 'one process',
  examples: ['ps info PABCDEFGHIJ'],
  needs: 'app',
  async run(session) {
    const id = session.args[0]!
    const client = await session.connect()
    const found = await findProcess(session, client, id)
    if (session.isJson) session.output.json(found)
    else session.output.data(describe(found))
  },
}

const stop: CommandSpec = {
  name: 'stop',
  arguments: '<process>',
  summary: 'stop a process; one of a type is replaced',
  examples: ['ps stop PABCDEFGHIJ'],
  needs: 'app',
  async run(session) {
    const id = session.args[0]!
    const client = await session.connect()
    const { app } = await findProcess(session, client, id)
    await client.stopProcess({ params: { app, process: id } })
    if (session.isJson) session.output.json(null)
    else session.output.say(`${id} of ${app} is stopped`)
  },
}

/** `rack ps`. */
export const ps: CommandSpec = {
  name: 'ps',
  arguments: '[app]',
  summary: 'list processes',
  examples: [
    'ps',
    'ps guestbook --stats',
    'ps --type web --json',
    'ps info PABCDEFGHIJ',
    'ps stop PABCDEFGHIJ',
  ],
  options: [
    { flags: '-t, --type <type>', meaning: 'of one process type' },
    { flags: '--all', meaning: 'ended one-off processes too' },
    { flags: '--stats', meaning: 'sample cpu and memory (takes a second or two)' },
  ],
  needs: 'app',
  commands: [info, stop],
  async run(session) {
    const { name: app } = session.app({ positional: session.args[0] })
    const client = await session.connect()
    const { options, output } = session
    const stats = options.flag('stats')
    const query = { type: options.text('type'), stats, all: options.flag('all') }
    const [processes, { lacks, unservedPorts }] = await Promise.all([
      client.listProcesses({ params: { app }, query }),
      client.getApp({ params: { app } }),
    ])
    for (const line of describeLacks({ name: app, lacks })) output.say(line)
    for (const port of unservedPorts) output.say(describeUnserved(port))
    if (session.isJson) return output.json(processes)
    if (processes.length === 0) return output.say(`nothing of ${app} runs`)
    output.data(formatTable([...columns(session), ...(stats ? statColumns : [])], processes))
  },
}

function columns({ output, options }: Session): Column<Process>[] {
  const { green, yellow, red } = output.colors.data
  const paint = (text: string, { status }: Process) => {
    if (status === 'running' || status === 'completed') return green(text)
    return isBad.has(status) ? red(text) : yellow(text)
  }
  return [
    { heading: 'ID', value: ({ id }) => id },
    { heading: 'TYPE', value: ({ type, kind }) => (kind === 'process' ? type : `${type} (${kind})`) },
    { heading: 'STATUS', value: ({ status, detail }) => detail ?? status, paint },
    { heading: 'RELEASE', value: ({ release }) => release },
    { heading: 'STARTED', value: ({ started }) => ago(started) },
    ...(options.flag('all') ? [endedColumn] : []),
    { heading: 'COMMAND', value: ({ command }) => shorten(command.join(' '), 60) },
  ]
}

const isBad: ReadonlySet<Process['status']> = new Set(['crashed', 'unhealthy', 'stopped'])

const endedColumn: Column<Process> = { heading: 'ENDED', value: ({ ended }) => ago(ended) }

const statColumns: Column<Process>[] = [
  { heading: 'CPU', value: ({ cpuPercent }) => percent(cpuPercent), align: 'right' },
  { heading: 'MEMORY', value: ({ memoryPercent }) => percent(memoryPercent), align: 'right' },
]

function percent(value: number | null): string | null {
  return value === null ? null : `${value.toFixed(1)} %`
}

function shorten(text: string, letters: number): string {
  return text.length > letters ? `${text.slice(0, letters - 1)}…` : text
}

function describe(running: Process): string {
  const { id, app, type, kind, status, detail, release, started, ended, command } = running
  return formatFacts([
    ['id', id],
    ['app', app],
    ['type', kind === 'process' ? type : `${type} (${kind})`],
    ['status', detail ?? status],
    ['release', release],
    ['started', started === null ? null : `${started} (${ago(started)})`],
    ['ended', ended === null ? null : `${ended} (${ago(ended)})`],
    ['command', command.join(' ') || null],
    ['address', running.address],
    ['exit code', running.exitCode],
    ['restarts', running.restarts],
    ['out of memory', running.outOfMemory || undefined],
    ['cpu', `${running.cpuUnits} units`],
    ['memory', formatBytes(running.memoryBytes)],
  ])
}

/**
 * A process by its id alone: of the app that was named, else of any app of the rack, the directory's first.
 * @throws not-found
 */
export async function findProcess(session: Session, client: Client, id: string): Promise<Process> {
  const first = candidate(session)
  const find = async (app: string) => {
    try {
      return await client.getProcess({ params: { app, process: id } })
    } catch (error) {
      if (error instanceof RackError && error.code === 'not-found' && !first?.isSaid) return null
      throw error
    }
  }
  const near = first && (await find(first.name))
  if (near) return near
  for (const { name } of await client.listApps()) {
    const found = name === first?.name ? null : await find(name)
    if (found) return found
  }
  throw new RackError('not-found', `no app of this rack has a process ${id}`, { hint: 'rack ps --app NAME' })
}

function candidate(session: Session): { name: string; isSaid: boolean } | null {
  try {
    const { name, from } = session.app()
    return { name, isSaid: from === '--app' }
  } catch (error) {
    if (error instanceof RackError && error.code === 'usage') return null
    throw error
  }
}
