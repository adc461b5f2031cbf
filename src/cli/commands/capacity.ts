import type { Reply } from '../../client/client-types.ts'
import { describeResources } from '../../domain/describe-resources.ts'
import { RackError } from '../../domain/error.ts'
import { formatBytes } from '../../lib/sizes.ts'
import type { CommandSpec } from '../command-spec.ts'
import { describeAdmission } from '../output/admission.ts'
import { formatTable } from '../output/table.ts'

/** `rack capacity`. */
export const capacity: CommandSpec = {
  name: 'capacity',
  summary: 'what the rack has, who holds it, and what would fit',
  description: 'With --if nothing is touched; the exit code is 1 when it does not fit.',
  examples: ['capacity', 'capacity --if web=6', 'capacity --app guestbook --if web=6 --if worker=2'],
  options: [
    {
      flags: '--if <type=count>',
      meaning: 'whether that many copies would fit; repeat it for more',
      multiple: true,
    },
  ],
  needs: 'app',
  async run(session) {
    const { output, isJson, options } = session
    const changes = readIfs(options.list('if'))
    const client = await session.connect()
    if (Object.keys(changes).length === 0) {
      const found = await client.getCapacity()
      if (isJson) output.json(found)
      else output.data(describeCapacity(found))
      return 0
    }
    const { name: app } = session.app()
    const { admission } = await client.planScale({ params: { app }, body: changes })
    if (isJson) output.json(admission)
    else output.data(describeAdmission(admission))
    return admission.fits ? 0 : 1
  },
}

/** `rack prune`. */
export const prune: CommandSpec = {
  name: 'prune',
  summary: 'remove images and leftovers that nothing needs',
  description:
    'The images of the newest 10 releases of each app, of the live one and of running changes are kept, and so is every release itself.',
  examples: ['prune', 'prune --build-cache', 'prune --volumes'],
  options: [
    { flags: '--build-cache', meaning: 'the cache of builds too; the next ones take longer' },
    { flags: '--volumes', meaning: 'the data of apps that were deleted, too: it cannot be brought back' },
  ],
  needs: 'rack',
  async run(session) {
    const { output, isJson, options } = session
    const client = await session.connect()
    const found = await client.prune({
      body: { buildCache: options.flag('build-cache'), volumes: options.flag('volumes') },
    })
    if (isJson) return output.json(found)
    const { images, containers, networks, volumes, bytes } = found
    output.say(
      `removed ${images} images, ${containers} containers, ${networks} networks and ${volumes} volumes: ${formatBytes(bytes)}`,
    )
  },
}

function readIfs(words: string[]): Record<string, { count: number }> {
  return Object.fromEntries(
    words.map((word) => {
      const [, type, count] = /^([^=]+)=(\d{1,6})$/.exec(word) ?? []
      if (type !== undefined) return [type, { count: Number(count) }]
      throw new RackError('usage', `--if: "${word}" is not TYPE=COUNT`, { hint: 'rack capacity --if web=6' })
    }),
  )
}

function describeCapacity({ total, reserved, free, holders, instances }: Reply<'getCapacity'>): string {
  // Of the only machine there is everything has been said.
  const machines = instances.length > 1 ? instances : []
  const head = [
    `total     ${describeResources(total)}`,
    `reserved  ${describeResources(reserved)}`,
    `free      ${describeResources(free)}`,
    ...machines.map(
      (each) => `  ${each.id}: free ${describeResources(each.free)} of ${describeResources(each.total)}`,
    ),
  ]
  if (holders.length === 0) return `${head.join('\n')}\n`
  type Row = (typeof holders)[number]
  const right = 'right' as const
  const columns = [
    { heading: 'APP', value: ({ app }: Row) => app },
    { heading: 'TYPE', value: ({ type, kind }: Row) => (kind === 'process' ? type : `${type} (${kind})`) },
    { heading: 'COUNT', value: ({ count }: Row) => count, align: right },
    { heading: 'CPU', value: ({ count, each }: Row) => count * each.cpuUnits, align: right },
    {
      heading: 'MEMORY',
      value: ({ count, each }: Row) => formatBytes(count * each.memoryBytes),
      align: right,
    },
  ]
  return `${head.join('\n')}\n\n${formatTable(columns, holders)}`
}
