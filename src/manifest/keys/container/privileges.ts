import { usualCapabilities, type ContainerOptions } from '../../../domain/container.ts'
import type { EngineFeatures } from '../../../domain/features.ts'
import type { Policy } from '../../../domain/policy.ts'
import { isThere } from '../../lacks.ts'
import { didYouMean, respelling } from '../../nearest.ts'
import type { Problems } from '../../problems.ts'
import { childOf, shown, shownPart, type Node } from '../../syntax/tree.ts'
import { booleanOf, itemsOf, textOf } from '../values/values.ts'

/** What an engine and a policy are asked for, and where a refusal is told. */
export interface Asking {
  features: EngineFeatures
  policy: Policy
  problems: Problems
}

export const allowPrivileged =
  'allow it with `rack policy set --allow-privileged`, or for a new rack `rack install --allow-privileged`'

/**
 * What a container may have without a word of the rack's owner: Docker's own set, and the locking of memory, which counts
 * against the limit of the process.
 */
const harmless = new Set([...usualCapabilities, 'IPC_LOCK'])

/** Each of them reaches beyond the container. */
const farReaching = [
  'ALL',
  'AUDIT_CONTROL',
  'AUDIT_READ',
  'BLOCK_SUSPEND',
  'BPF',
  'CHECKPOINT_RESTORE',
  'DAC_READ_SEARCH',
  'IPC_OWNER',
  'LEASE',
  'LINUX_IMMUTABLE',
  'MAC_ADMIN',
  'MAC_OVERRIDE',
  'NET_ADMIN',
  'NET_BROADCAST',
  'PERFMON',
  'SYSLOG',
  'SYS_ADMIN',
  'SYS_BOOT',
  'SYS_MODULE',
  'SYS_NICE',
  'SYS_PACCT',
  'SYS_PTRACE',
  'SYS_RAWIO',
  'SYS_RESOURCE',
  'SYS_TIME',
  'SYS_TTY_CONFIG',
  'WAKE_ALARM',
]
const allCapabilities = [...harmless, ...farReaching]

type Privileges = Pick<ContainerOptions, 'capAdd' | 'capDrop' | 'privileged' | 'securityOptions'>

/** The rights of a process beyond those of any other; what the policy does not allow is a problem of that kind. */
export function privilegesOf(service: Node, asking: Asking): Privileges {
  return {
    capAdd: capabilitiesOf(childOf(service, 'cap_add'), asking, true),
    capDrop: capabilitiesOf(childOf(service, 'cap_drop'), asking, false),
    privileged: privilegedOf(childOf(service, 'privileged'), asking),
    securityOptions: securityOptionsOf(childOf(service, 'security_opt'), asking),
  }
}

function capabilitiesOf(node: Node | undefined, asking: Asking, isAdded: boolean): string[] {
  const { problems } = asking
  const names = new Set<string>()
  for (const item of itemsOf(node, problems)) {
    const text = textOf(item, problems)
    if (text === null) continue
    const name = text.toUpperCase().replace(/^CAP_/, '')
    if (!allCapabilities.includes(name)) {
      problems.error(item, `${shown(item)} is not a capability`, () =>
        respelling(name, allCapabilities, 'see `man 7 capabilities`'),
      )
      continue
    }
    if (isAdded) checkAdded(name, item, asking)
    names.add(name)
  }
  return [...names].sort()
}

/** Where an engine has a list of its own, what is on it reaches nothing else. */
function checkAdded(name: string, item: Node, { features: { capabilities }, policy, problems }: Asking) {
  if (capabilities !== true) {
    if (!capabilities.only.includes(name))
      problems.error(
        item,
        `the capability ${shown(item)} is refused: ${capabilities.why}`,
        capabilities.instead,
      )
  } else if (!harmless.has(name) && !policy.privileged)
    problems.policy(
      item,
      `the capability ${shown(item)} reaches beyond the container, and the rack's policy does not allow that`,
      allowPrivileged,
    )
}

function privilegedOf(node: Node | undefined, { policy, problems }: Asking): boolean {
  const isPrivileged = booleanOf(node, problems) ?? false
  if (node && isPrivileged && !policy.privileged)
    problems.policy(
      node,
      "`privileged` gives the whole machine to the process, and the rack's policy does not allow that",
      `name what it needs under \`cap_add\`, or ${allowPrivileged}`,
    )
  return isPrivileged
}

const securityKinds = ['no-new-privileges', 'seccomp', 'apparmor', 'label', 'systempaths']

/** In Docker's form, sorted; `no-new-privileges` is the rack's own and not among them. */
function securityOptionsOf(node: Node | undefined, asking: Asking): string[] {
  const options = itemsOf(node, asking.problems).flatMap((item) => {
    const text = textOf(item, asking.problems)
    const option = text === null ? null : securityOption(text, item, asking)
    return option === null ? [] : [option]
  })
  return [...new Set(options)].sort()
}

function securityOption(text: string, item: Node, asking: Asking): string | null {
  const { features, policy, problems } = asking
  const separator = text.search(/[=:]/)
  const kind = separator < 0 ? text : text.slice(0, separator)
  const value = separator < 0 ? '' : text.slice(separator + 1)
  if (kind === 'no-new-privileges') return checkNoNewPrivileges(value, item, asking)
  if (!securityKinds.includes(kind) || value === '') {
    const hint = () => didYouMean(kind, securityKinds, 'write "seccomp=unconfined" or "apparmor=PROFILE"')
    problems.error(item, `${shown(item)} is not a security option`, hint)
    return null
  }
  const mustBeUnconfined = kind === 'seccomp' || kind === 'systempaths'
  if (mustBeUnconfined && value !== 'unconfined') {
    problems.error(
      item,
      `${shownPart(item, kind)} with a profile of one's own is refused: the file is not on the rack`,
      'remove it: the profile of the engine holds',
    )
    return null
  }
  if (!isThere(features.securityProfiles, item, shown(item), problems)) return null
  if (!policy.privileged)
    problems.policy(
      item,
      `${shown(item)} weakens what keeps the process inside its container, and the rack's policy does not allow that`,
      allowPrivileged,
    )
  return `${kind}=${value}`
}

function checkNoNewPrivileges(value: string, item: Node, { features, problems }: Asking): null {
  if (value !== '' && value !== 'true')
    problems.error(
      item,
      'no process of a rack may gain privileges by a set-user-ID program',
      'remove it; give the process the user or capability that it needs: `user:`, `cap_add:`',
    )
  else isThere(features.noNewPrivileges, item, shown(item), problems)
  return null
}
