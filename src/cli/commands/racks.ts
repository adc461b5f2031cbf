import { RackError } from '../../domain/error.ts'
import type { CommandSpec } from '../command-spec.ts'
import { formatTable } from '../output/table.ts'
import { changeRacks, readRacks, withoutRack, withRack, type KnownRack } from '../racks-file.ts'
import { readAll } from '../read-all.ts'
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

/** `rack login`. */
export const login: CommandSpec = {
  name: 'login',
  arguments: '<url>',
  summary: 'add a rack by its address and a token, and make it the current one',
  description:
    'The token comes from standard input, a file or RACK_TOKEN: on the command line others could see it.',
  examples: [
    'login http://127.0.0.1:5480 --token-stdin < token',
    'login https://rack.example.com --token-file token --name production',
  ],
  options: [
    { flags: '--token-stdin', meaning: 'read the token from standard input' },
    { flags: '--token-file <path>', meaning: 'read the token from a file' },
    { flags: '--name <name>', meaning: 'what to call it here; its own name unless given' },
  ],
  needs: 'nothing',
  async run(session) {
    const { output, isJson, world, options } = session
    const url = session.args[0]!.replace(/\/+$/, '')
    const token = await readToken(session)
    const { createClient } = await import('../../client/client.ts')
    const found = await createClient({ url, token }).getRack()
    const name = options.text('name') ?? found.name
    await changeRacks(world.env, (known) =>
      withRack(known, {
        ...known.racks.find((rack) => rack.name === name && rack.url === url),
        name,
        url,
        token,
      }),
    )
    if (isJson) output.json({ name, url, current: true })
    else output.say(`${name} (Rack ${found.version}, ${found.apps} apps) is the current rack`)
  },
}

async function readToken({ options, world }: Session): Promise<string> {
  const token = await givenToken()
  if (token !== '') return token
  throw new RackError('usage', 'no token was given', {
    hint: 'rack login URL --token-stdin < FILE, or --token-file FILE, or RACK_TOKEN',
  })

  async function givenToken(): Promise<string> {
    const file = options.text('token-file')
    if (options.flag('token-stdin')) return (await readAll(world.stdin)).trim()
    if (file === undefined) return world.env['RACK_TOKEN'] ?? ''
    const { readFile } = process.getBuiltinModule('node:fs/promises')
    return await readFile(file, 'utf8').then(
      (text) => text.trim(),
      (cause: Error) => {
        throw new RackError('usage', `${file} cannot be read: ${cause.message}`, { cause })
      },
    )
  }
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
