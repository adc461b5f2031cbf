import type { Reply } from '../../client/client-types.ts'
import { RackError } from '../../domain/error.ts'
import { roleMeanings, roles, type Role } from '../../domain/token.ts'
import { parseDuration } from '../../lib/sizes.ts'
import type { CommandSpec } from '../command-spec.ts'
import { confirm } from '../confirm.ts'
import type { Options } from '../options.ts'
import { formatTable } from '../output/table.ts'
import { ago, ahead } from '../output/times.ts'
import type { Session } from '../session.ts'

type Token = Reply<'listTokens'>[number]

const create: CommandSpec = {
  name: 'create',
  arguments: '<name>',
  summary: 'make a token, which is shown once',
  description: [
    'It is on standard output alone; the rack keeps a hash of it. Roles, each of which may do what those before it may:',
    ...roles.map((role) => `  ${role.padEnd(6)}  ${roleMeanings[role]}`),
    'With --app it is for those apps only, which need not be there yet, and for nothing of the rack as a whole.',
  ].join('\n'),
  examples: [
    'tokens create alice --role admin',
    'tokens create ci --role deploy --app shop --expires 90d',
    'tokens create dashboard --role read --app shop --app blog --json',
  ],
  options: [
    { flags: '--role <role>', meaning: roles.join(', ') },
    { flags: '-a, --app <name>', meaning: 'for this app only; more than once for more', multiple: true },
    {
      flags: '--expires <duration>',
      meaning: 'for how long it is good, such as 30d or 12h; for ever unless given',
    },
  ],
  needs: 'rack',
  async run({ connect, args, options, output, isJson }) {
    const name = args[0]!
    const role = readRole(options, name)
    const apps = options.list('app')
    const body = { name, role, apps: apps.length === 0 ? null : apps, lifetimeMs: readLifetime(options) }
    const made = await (await connect()).createToken({ body })
    if (isJson) return output.json(made)
    output.say(`${name} ${describe(made)}; this is the only time that it is shown:`)
    output.data(made.token)
    output.say('Whoever has it types: rack login URL --token-stdin')
  },
}

const revoke: CommandSpec = {
  name: 'revoke',
  arguments: '<name>',
  summary: 'let nobody in by a token any more, and end what is open by it',
  description: 'Asks first; without a terminal it needs --yes. Changes that were begun by it go on.',
  examples: ['tokens revoke ci', 'tokens revoke ci --yes'],
  options: [{ flags: '-y, --yes', meaning: 'do not ask' }],
  needs: 'rack',
  async run(session) {
    const name = session.args[0]!
    const client = await session.connect()
    await confirm(session, `Revoke the token ${name}?`, name)
    await client.revokeToken({ params: { token: name } })
    if (session.isJson) session.output.json(null)
    else session.output.say(`the token ${name} is good for nothing any more`)
  },
}

const recover: CommandSpec = {
  name: 'recover',
  summary: 'make a token that may do all, on the machine of the rack itself',
  description: [
    'For the user that the rack was installed by; root does it as that user. The token is shown once,',
    'and is the one of this command line from then on. The others stay: rack tokens revoke NAME.',
  ].join('\n'),
  examples: ['tokens recover', 'tokens recover --dir /var/lib/rack/rack'],
  options: [
    { flags: '--dir <directory>', meaning: 'where the rack lies; of the selected rack unless given' },
  ],
  needs: 'nothing',
  async run(session) {
    const { recoverToken } = await import('../recover-token.ts')
    const { output, isJson } = session
    const { name, token, rack } = await recoverToken(session)
    if (isJson) return output.json({ name, token })
    output.say(`${name} may do all of ${rack}; this is the only time that it is shown:`)
    output.data(token)
    output.say('This command line uses it from now on.')
  },
}

const list: CommandSpec = {
  name: 'list',
  summary: 'names, roles, apps, ends and last uses; never a token itself',
  examples: ['tokens list', 'tokens list --json'],
  needs: 'rack',
  run: show,
}

/** `rack tokens`. */
export const tokens: CommandSpec = {
  name: 'tokens',
  summary: 'who may call the rack',
  examples: ['tokens', 'tokens create ci --role deploy --app shop', 'tokens revoke ci'],
  needs: 'rack',
  commands: [list, create, revoke, recover],
  run: show,
}

async function show({ connect, output, isJson }: Session): Promise<void> {
  const found = await (await connect()).listTokens()
  if (isJson) return output.json(found)
  const columns = [
    { heading: 'NAME', value: ({ name }: Token) => name },
    { heading: 'ROLE', value: ({ role }: Token) => role },
    { heading: 'APPS', value: ({ apps }: Token) => apps?.join(', ') ?? 'all' },
    { heading: 'CREATED', value: ({ created }: Token) => ago(created) },
    { heading: 'EXPIRES', value: ({ expires }: Token) => untilWhen(expires) },
    { heading: 'LAST USED', value: ({ lastUsed }: Token) => ago(lastUsed) },
  ]
  output.data(formatTable(columns, found))
}

function untilWhen(expires: string | null): string | null {
  if (expires === null) return 'never'
  return Date.parse(expires) <= Date.now() ? 'expired' : ahead(expires)
}

function describe({ role, apps, expires }: Token): string {
  const scope = apps === null ? '' : ` for ${apps.join(', ')}`
  return `has the role ${role}${scope}${expires === null ? '' : ` until ${expires}`}`
}

function readRole(options: Options, name: string): Role {
  const given = options.text('role')
  const role = roles.find((known) => known === given)
  if (role) return role
  const message = given === undefined ? 'a token has a role' : `"${given}" is no role`
  throw new RackError('usage', message, {
    hint: `rack tokens create ${name} --role ${roles.join('|')}`,
  })
}

function readLifetime(options: Options): number | null {
  const text = options.text('expires')
  if (text === undefined) return null
  const ms = parseDuration(text)
  if (ms !== null) return Math.round(ms)
  throw new RackError('usage', `"${text}" is no duration`, { hint: 'For example: --expires 30d, 12h' })
}
