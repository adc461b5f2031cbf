import { RackError } from '../../domain/error.ts'
import type { Policy } from '../../domain/policy.ts'
import type { CommandSpec } from '../command-spec.ts'
import { formatFacts } from '../output/table.ts'
import { allowOptions } from '../policy-options.ts'
import type { Session } from '../session.ts'

const set: CommandSpec = {
  name: 'set',
  summary: 'change the policy, for the next build and promote',
  description: [
    'What runs goes on, after a restart of the machine too; a release that the policy no longer allows is not promoted.',
    "Paths are those of the rack's machine. All of it (/), the engine's socket and the rack's own directory cannot be allowed.",
  ].join('\n'),
  examples: [
    'policy set --allow-bind /srv/shared',
    'policy set --deny-bind /srv/shared --allow-bind /srv/other',
    'policy set --deny-privileged',
  ],
  options: [
    ...allowOptions,
    {
      flags: '--deny-bind <path>',
      meaning: 'take a path back that is allowed; repeat it for more',
      multiple: true,
    },
    { flags: '--deny-privileged', meaning: 'no process may be privileged' },
  ],
  needs: 'rack',
  async run(session) {
    const { output, options, isJson } = session
    const allowBinds = options.list('allow-bind')
    const denyBinds = options.list('deny-bind')
    const privileged = readPrivileged(session)
    if (allowBinds.length + denyBinds.length === 0 && privileged === null) {
      throw new RackError('usage', 'what of the policy shall be changed?', {
        hint: 'rack policy set --allow-bind PATH, --deny-bind PATH, --allow-privileged or --deny-privileged',
      })
    }
    const client = await session.connect()
    const policy = await client.changePolicy({ body: { allowBinds, denyBinds, privileged } })
    if (isJson) return output.json(policy)
    output.data(describe(policy))
    const hasTightened = denyBinds.length > 0 || privileged === false
    const rest = hasTightened ? '; what runs goes on until then' : ''
    output.say(`it holds from the next build and promote on${rest}`)
  },
}

/** `rack policy`. */
export const policy: CommandSpec = {
  name: 'policy',
  summary: 'what processes may have of the machine',
  description:
    'Nothing, unless the rack was installed or told otherwise: bind mounts and privileged processes are refused.',
  examples: [
    'policy',
    'policy --json',
    'policy set --allow-bind /srv/shared',
    'policy set --deny-bind /srv/shared',
  ],
  needs: 'rack',
  commands: [set],
  async run({ connect, output, isJson }) {
    const found = await (await connect()).getPolicy()
    if (isJson) output.json(found)
    else output.data(describe(found))
  },
}

/** Null when nothing is said of it. @throws usage when both are */
function readPrivileged({ options }: Session): boolean | null {
  const [isAllowed, isDenied] = [options.flag('allow-privileged'), options.flag('deny-privileged')]
  if (isAllowed && isDenied)
    throw new RackError('usage', '--allow-privileged and --deny-privileged contradict each other')
  return isAllowed || isDenied ? isAllowed : null
}

function describe({ binds, privileged }: Policy): string {
  return formatFacts([
    ['bind mounts', binds.join(', ') || 'none'],
    ['privileged', privileged ? 'allowed' : 'refused'],
  ])
}
