import { RackError } from '../../domain/error.ts'
import { isNoChange, type Policy, type PolicyChange } from '../../domain/policy.ts'
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
    'policy set --allow-device /dev/dri --allow-device gpu',
    'policy set --deny-privileged',
  ],
  options: [
    ...allowOptions,
    {
      flags: '--deny-bind <path>',
      meaning: 'take a path back that is allowed; repeat it for more',
      multiple: true,
    },
    { flags: '--deny-device <device>', meaning: 'take a device back; repeat it for more', multiple: true },
    { flags: '--deny-volume <name>', meaning: 'take a volume back; repeat it for more', multiple: true },
    { flags: '--deny-privileged', meaning: 'no process may be privileged' },
    { flags: '--deny-host-gateway', meaning: 'the machine has no name inside apps' },
    { flags: '--deny-metadata', meaning: 'no process reaches 169.254.169.254; at once' },
  ],
  needs: 'rack',
  async run(session) {
    const { output, isJson } = session
    const change = readChange(session)
    if (isNoChange(change)) {
      throw new RackError('usage', 'what of the policy shall be changed?', {
        hint: 'rack policy set --allow-bind PATH or --deny-bind PATH; see them all with: rack policy set --help',
      })
    }
    const client = await session.connect()
    const policy = await client.changePolicy({ body: change })
    if (isJson) return output.json(policy)
    output.data(describe(policy))
    const { metadata, ...others } = change
    const { denyBinds, denyDevices, denyVolumes, privileged, hostGateway } = change
    const denied = denyBinds.length + denyDevices.length + denyVolumes.length
    const hasTightened = denied > 0 || privileged === false || hostGateway === false
    const rest = hasTightened ? '; what runs goes on until then' : ''
    if (!isNoChange({ ...others, metadata: null }))
      output.say(`it holds from the next build and promote on${rest}`)
    if (metadata !== null) output.say('it holds for the metadata service within seconds, for all that runs')
  },
}

/** @throws usage where something is allowed and denied at once */
function readChange(session: Session): PolicyChange {
  const { options } = session
  return {
    allowBinds: options.list('allow-bind'),
    denyBinds: options.list('deny-bind'),
    allowDevices: options.list('allow-device'),
    denyDevices: options.list('deny-device'),
    allowVolumes: options.list('allow-volume'),
    denyVolumes: options.list('deny-volume'),
    privileged: readSwitch(session, 'privileged'),
    hostGateway: readSwitch(session, 'host-gateway'),
    metadata: readSwitch(session, 'metadata'),
  }
}

/** `rack policy`. */
export const policy: CommandSpec = {
  name: 'policy',
  summary: 'what processes may have of the machine',
  description:
    'Nothing, unless the rack was installed or told otherwise: bind mounts, devices, volumes of others, privileged processes, a name for the machine and the metadata service of a cloud are refused.',
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
function readSwitch({ options }: Session, name: 'privileged' | 'host-gateway' | 'metadata'): boolean | null {
  const [isAllowed, isDenied] = [options.flag(`allow-${name}`), options.flag(`deny-${name}`)]
  if (isAllowed && isDenied)
    throw new RackError('usage', `--allow-${name} and --deny-${name} contradict each other`)
  return isAllowed || isDenied ? isAllowed : null
}

function describe({ binds, devices, volumes, ...switches }: Policy): string {
  const word = (isAllowed: boolean) => (isAllowed ? 'allowed' : 'refused')
  return formatFacts([
    ['bind mounts', binds.join(', ') || 'none'],
    ['devices', devices.join(', ') || 'none'],
    ['volumes', volumes.join(', ') || 'none'],
    ['privileged', word(switches.privileged)],
    ['host gateway', word(switches.hostGateway)],
    ['metadata', word(switches.metadata)],
  ])
}
