import { RackError } from '../../domain/error.ts'
import type { CommandSpec } from '../command-spec.ts'
import { formatTable } from '../output/table.ts'
import { changeRacks, readRacks, withoutRack, type KnownRack } from '../racks-file.ts'
import type { Session } from '../session.ts'

const forget: CommandSpec = {
  name: 'forget',
  arguments: '<name>',
  summary: 'take a rack off the list; the rack itself stays',
  examples: ['racks forget old'],
  needs: 'nothing',
  async run({ args, output, isJson, world }) {
    const name = args[0]!
    find(world.env, name)
    await changeRacks(world.env, (known) => withoutRack(known, name))
    if (isJson) output.json(null)
    else output.say(`${name} is forgotten`)
  },
}

/** `rack racks`. */
export const racks: CommandSpec = {
  name: 'racks',
  summary: 'list the racks that this command line knows',
  description: 'They are kept, with their tokens, in rack/racks.json of the XDG configuration folder (0600).',
  examples: ['racks', 'racks --json', 'racks forget old'],
  needs: 'nothing',
  commands: [forget],
  async run({ output, isJson, world }) {
    const { racks, current } = readRacks(world.env)
    // The tokens stay where they are.
    const list = racks.map(({ name, url, directory }) => ({
      name,
      url,
      current: name === current,
      directory: directory ?? null,
    }))
    if (isJson) return output.json(list)
    if (list.length === 0)
      return output.say('no rack is known here: rack install (on this machine) or rack login URL')
    type Row = (typeof list)[number]
    const columns = [
      { heading: 'RACK', value: ({ name }: Row) => name },
      { heading: 'CURRENT', value: ({ current }: Row) => (current ? 'current' : '') },
      { heading: 'API', value: ({ url }: Row) => url },
      { heading: 'DIRECTORY', value: ({ directory }: Row) => directory },
    ]
    output.data(formatTable(columns, list))
  },
}

/** `rack switch`. */
export const switchRack: CommandSpec = {
  name: 'switch',
  arguments: '<name>',
  summary: 'make another rack the current one',
  examples: ['switch demo'],
  needs: 'nothing',
  async run({ args, output, isJson, world }) {
    const { name, url } = find(world.env, args[0]!)
    await changeRacks(world.env, (known) => ({ ...known, current: name }))
    if (isJson) output.json({ name, url, current: true })
    else output.say(`${name} is the current rack`)
  },
}

function find(env: Session['world']['env'], name: string): KnownRack {
  const { racks } = readRacks(env)
  const found = racks.find((rack) => rack.name === name)
  if (found) return found
  throw new RackError('not-found', `no rack "${name}" is known here`, {
    hint:
      racks.length === 0
        ? 'rack install or rack login URL'
        : `Known: ${racks.map((rack) => rack.name).join(', ')}`,
  })
}
