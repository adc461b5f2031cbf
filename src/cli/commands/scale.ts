import type { Client } from '../../client/client-types.ts'
import { RackError } from '../../domain/error.ts'
import { formatBytes } from '../../lib/sizes.ts'
import type { CommandSpec } from '../command-spec.ts'
import { startFollowing } from '../follow.ts'
import { describeAdmission } from '../output/admission.ts'
import { showPromoted } from '../output/promoted.ts'
import { formatTable } from '../output/table.ts'
import { cpuOf, memoryOf } from '../resource-options.ts'
import type { Session } from '../session.ts'

interface Change {
  count?: number
  cpuUnits?: number
  memoryBytes?: number
}

/** `rack scale`. */
export const scale: CommandSpec = {
  name: 'scale',
  arguments: '[changes...]',
  summary: 'show or change how many copies run, and with how much cpu and memory',
  description: [
    'TYPE=COUNT changes a count; --cpu (units, 1024 are a core) and --memory apply to every type that is named.',
    'What does not fit is refused with the arithmetic, before anything is touched.',
  ].join('\n'),
  examples: [
    'scale',
    'scale web=5',
    'scale web=3 worker=1',
    'scale web --cpu 256 --memory 512m',
    'scale web=50 --plan',
    'scale web --from-file',
  ],
  options: [
    { flags: '--cpu <units>', meaning: 'what each copy reserves' },
    { flags: '--memory <size>', meaning: 'the limit of each copy, such as 256m' },
    {
      flags: '--from-file',
      meaning: 'what the file of the live release says, for the types that are named or for all',
    },
    { flags: '--plan', meaning: 'show whether it fits, and do nothing' },
  ],
  needs: 'app',
  async run(session) {
    const { output, isJson, options } = session
    const { name: app } = session.app()
    const given = readChanges(session)
    const client = await session.connect()
    const body = options.flag('from-file') ? await fromFile(client, app, given) : given
    if (body === null) return showFormation(session, await client.getFormation({ params: { app } }))
    if (options.flag('plan')) {
      const found = await client.planScale({ params: { app }, body })
      if (isJson) output.json(found)
      else {
        output.data(describeAdmission(found.admission))
        for (const text of found.additions) output.data(`would make: ${text}\n`)
      }
      return found.admission.fits ? 0 : 1
    }
    using following = await startFollowing(session)
    const lines = client.scaleProcesses({ params: { app }, body })
    const cancel = { what: 'the scale', call: () => client.cancelApp({ params: { app } }) }
    showPromoted(session, following, await following.follow(lines, cancel))
  },
}

/** `rack restart`. */
export const restart: CommandSpec = {
  name: 'restart',
  arguments: '[app]',
  summary: 'replace the copies of one type or of all, dropping nothing',
  examples: ['restart', 'restart guestbook --type web'],
  options: [{ flags: '-t, --type <type>', meaning: 'one process type only' }],
  needs: 'app',
  async run(session) {
    const { name: app } = session.app({ positional: session.args[0] })
    const client = await session.connect()
    using following = await startFollowing(session)
    const lines = client.restartApp({ params: { app }, query: { type: session.options.text('type') } })
    const cancel = { what: 'the restart', call: () => client.cancelApp({ params: { app } }) }
    showPromoted(session, following, await following.follow(lines, cancel))
  },
}

function readChanges({ args, options }: Session): Record<string, Change> | null {
  const sizes = { ...cpuOf(options.text('cpu')), ...memoryOf(options.text('memory')) }
  const hasSizes = Object.keys(sizes).length > 0 || options.flag('from-file')
  if (args.length > 0) return Object.fromEntries(args.map((word) => readChange(word, sizes, hasSizes)))
  if (Object.keys(sizes).length === 0) return null
  throw new RackError('usage', 'which process type?', { hint: 'rack scale TYPE --cpu UNITS --memory SIZE' })
}

/** The same changes over what the file says; of all types where none is named. */
async function fromFile(
  client: Client,
  app: string,
  given: Record<string, Change> | null,
): Promise<Record<string, Change & { fromFile: true }>> {
  const changes =
    given ??
    Object.fromEntries(Object.keys(await client.getFormation({ params: { app } })).map((type) => [type, {}]))
  return Object.fromEntries(
    Object.entries(changes).map(([type, change]) => [type, { ...change, fromFile: true }]),
  )
}

function readChange(word: string, sizes: Change, hasSizes: boolean): [string, Change] {
  const [, type, count] = /^([^=]+)(?:=(\d{1,6}))?$/.exec(word) ?? []
  if (type === undefined || (count === undefined && !hasSizes)) {
    throw new RackError('usage', `"${word}" is not TYPE=COUNT`, { hint: 'rack scale web=5' })
  }
  return [type, count === undefined ? sizes : { ...sizes, count: Number(count) }]
}

function showFormation({ output, isJson }: Session, formation: Record<string, Required<Change>>): void {
  if (isJson) return output.json(formation)
  const rows = Object.entries(formation)
  if (rows.length === 0) return output.say('nothing was promoted yet, so nothing has a formation')
  type Row = (typeof rows)[number]
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
  output.data(formatTable(columns, rows))
}
