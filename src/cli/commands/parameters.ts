import { RackError } from '../../domain/error.ts'
import type { Reply } from '../../client/client-types.ts'
import type { CommandSpec } from '../command-spec.ts'
import { formatTable } from '../output/table.ts'

const set: CommandSpec = {
  name: 'set',
  arguments: '<name=value...>',
  summary: 'change parameters',
  description: 'It holds within seconds, for what is kept already too.',
  examples: ['parameters set logs.size=100M logs.age=30d', 'parameters set logs.age=any'],
  needs: 'rack',
  async run({ args, connect, output, isJson }) {
    const values = Object.fromEntries(args.map(readPair))
    const parameters = await (await connect()).changeParameters({ body: { values } })
    if (isJson) output.json(parameters)
    else output.data(describe(parameters))
  },
}

/** `rack parameters`. */
export const parameters: CommandSpec = {
  name: 'parameters',
  summary: 'settings of the rack: how much log is kept, how long a build may take, where shares come in',
  examples: ['parameters', 'parameters set logs.size=100M logs.age=30d', 'parameters set builds.deadline=2h'],
  needs: 'rack',
  commands: [set],
  async run({ connect, output, isJson }) {
    const found = await (await connect()).listParameters()
    if (isJson) output.json(found)
    else output.data(describe(found))
  },
}

function readPair(text: string): [string, string] {
  const at = text.indexOf('=')
  if (at > 0) return [text.slice(0, at), text.slice(at + 1)]
  throw new RackError('usage', `"${text}" is no NAME=VALUE`, { hint: 'rack parameters set logs.size=100M' })
}

function describe(found: Reply<'listParameters'>): string {
  return formatTable(
    [
      { heading: 'name', value: ({ name }) => name },
      { heading: 'value', value: ({ value, isDefault }) => (isDefault ? `${value} (default)` : value) },
      { heading: 'meaning', value: ({ meaning }) => meaning },
    ],
    found,
  )
}
