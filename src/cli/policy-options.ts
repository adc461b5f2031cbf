import { changedPolicy, isNoChange, noPolicyChange, strictPolicy, type Policy } from '../domain/policy.ts'
import type { OptionSpec } from './command-spec.ts'
import type { Session } from './session.ts'

/** What a policy lets processes have of the machine. */
export const allowOptions: OptionSpec[] = [
  {
    flags: '--allow-bind <path>',
    meaning: 'processes may mount what lies at or below it; repeat it for more',
    multiple: true,
  },
  {
    flags: '--allow-device <device>',
    meaning: 'processes may have it: a path such as /dev/dri, or gpu; repeat it for more',
    multiple: true,
  },
  {
    flags: '--allow-volume <name>',
    meaning: 'apps may mount this volume of Docker, which none of them made; repeat it for more',
    multiple: true,
  },
  {
    flags: '--allow-privileged',
    meaning: 'processes may be privileged: they have all of the machine then, its devices and namespaces too',
  },
  {
    flags: '--allow-host-gateway',
    meaning: 'the machine may have a name inside apps: host-gateway under extra_hosts',
  },
  {
    flags: '--allow-metadata',
    meaning: "processes may ask 169.254.169.254, where a cloud gives out the machine's own credentials",
  },
]

/** The policy that the options say; undefined when they say nothing. @throws invalid */
export function readPolicy({ options }: Session): Policy | undefined {
  const change = {
    ...noPolicyChange,
    allowBinds: options.list('allow-bind'),
    allowDevices: options.list('allow-device'),
    allowVolumes: options.list('allow-volume'),
    privileged: options.flag('allow-privileged') || null,
    hostGateway: options.flag('allow-host-gateway') || null,
    metadata: options.flag('allow-metadata') || null,
  }
  return isNoChange(change) ? undefined : changedPolicy(strictPolicy, change)
}

/** `binds /srv/shared; privileged` or `nothing of the machine`. */
export function describePolicy(policy: Policy): string {
  const { binds, devices, volumes, privileged, hostGateway, metadata } = policy
  const lists = Object.entries({ binds, devices, volumes }).filter(([, list]) => list.length > 0)
  const switches = Object.entries({ privileged, 'host gateway': hostGateway, metadata })
  const parts = [
    ...lists.map(([name, list]) => `${name} ${list.join(', ')}`),
    ...switches.flatMap(([name, isAllowed]) => (isAllowed ? [name] : [])),
  ]
  return parts.join('; ') || 'nothing of the machine'
}
