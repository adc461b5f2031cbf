import type { Reply } from '../../client/client-types.ts'
import { RackError } from '../../domain/error.ts'
import type { CommandSpec } from '../command-spec.ts'
import { confirm } from '../confirm.ts'
import { formatTable } from '../output/table.ts'
import { ago } from '../output/times.ts'
import { readSecret } from '../read-secret.ts'
import type { Session } from '../session.ts'

type Registry = Reply<'listRegistries'>[number]

const add: CommandSpec = {
  name: 'add',
  arguments: '<host>',
  summary: 'keep a login at a registry, which is tried at once',
  description:
    'The password is typed unseen, or comes from standard input: on the command line others could see it.',
  examples: [
    'registries add registry.example.com --username deploy',
    'registries add docker.io --username shop < password',
  ],
  options: [{ flags: '-u, --username <name>', meaning: 'who pulls' }],
  needs: 'rack',
  async run(session) {
    const { output, isJson, options, args } = session
    const host = args[0]!
    const username = options.text('username')
    if (username === undefined) {
      throw new RackError('usage', 'a login has a name', {
        hint: `rack registries add ${host} --username NAME`,
      })
    }
    const client = await session.connect()
    const password = await readSecret(session, `Password of ${username} at ${host}:`)
    const added = await client.addRegistry({ params: { host }, body: { username, password } })
    if (isJson) output.json(added)
    else output.say(`images of ${added.host} are pulled as ${added.username} from the next build on`)
  },
}

const remove: CommandSpec = {
  name: 'remove',
  arguments: '<host>',
  summary: 'forget a login; what runs goes on',
  description: 'Asks first; without a terminal it needs --yes.',
  examples: ['registries remove registry.example.com', 'registries remove docker.io --yes'],
  options: [{ flags: '-y, --yes', meaning: 'do not ask' }],
  needs: 'rack',
  async run(session) {
    const host = session.args[0]!
    const client = await session.connect()
    await confirm(session, `Forget the login at ${host}?`, host)
    await client.removeRegistry({ params: { host } })
    if (session.isJson) session.output.json(null)
    else session.output.say(`the login at ${host} is forgotten`)
  },
}

const list: CommandSpec = {
  name: 'list',
  summary: 'hosts, and as whom the rack pulls there',
  examples: ['registries list'],
  needs: 'rack',
  run: show,
}

/** `rack registries`. */
export const registries: CommandSpec = {
  name: 'registries',
  summary: 'registries of images at which the rack has a login',
  examples: ['registries', 'registries add registry.example.com --username deploy'],
  needs: 'rack',
  commands: [list, add, remove],
  run: show,
}

async function show({ connect, output, isJson }: Session): Promise<void> {
  const found = await (await connect()).listRegistries()
  if (isJson) return output.json(found)
  if (found.length === 0)
    return output.say('the rack has no login; add one with: rack registries add HOST --username NAME')
  const columns = [
    { heading: 'REGISTRY', value: ({ host }: Registry) => host },
    { heading: 'USERNAME', value: ({ username }: Registry) => username },
    { heading: 'SINCE', value: ({ since }: Registry) => ago(since) },
  ]
  output.data(formatTable(columns, found))
}
