import type { HostNamespace } from '../../../domain/container.ts'
import { isThere } from '../../lacks.ts'
import { childOf, shown, type Node } from '../../syntax/tree.ts'
import { textOf } from '../values/values.ts'
import { allowPrivileged, type Asking } from './privileges.ts'

/** The keys by which a process shares something with others, and what they may say besides `host`. */
const keys: { key: string; namespace: HostNamespace; own: string[]; instead: string }[] = [
  { key: 'cgroup', namespace: 'cgroup', own: ['private'], instead: 'remove the key' },
  { key: 'cgroupns_mode', namespace: 'cgroup', own: ['private'], instead: 'remove the key' },
  {
    key: 'ipc',
    namespace: 'ipc',
    own: ['private', 'shareable', 'none'],
    instead: 'let the processes talk over the network; remove the key',
  },
  { key: 'pid', namespace: 'pid', own: [], instead: 'run both programs in one process, or remove the key' },
  { key: 'userns_mode', namespace: 'user', own: [], instead: 'remove the key' },
  { key: 'uts', namespace: 'uts', own: [], instead: 'remove the key' },
]

/** What a process shares with the machine; with other processes it shares nothing of the kind. */
export function hostNamespacesOf(service: Node, { features, policy, problems }: Asking): HostNamespace[] {
  const shared = keys.filter(({ key, own, instead }) => {
    const node = childOf(service, key)
    const word = textOf(node, problems)
    if (!node || !word || own.includes(word)) return false
    const wish = `\`${key}: ${shown(node).replaceAll('"', '')}\``
    if (word !== 'host') {
      problems.error(node, `${wish} is refused: a process shares it with no other`, instead)
      return false
    }
    if (!isThere(features.hostNamespaces, node, wish, problems)) return false
    if (!policy.privileged)
      problems.policy(
        node,
        `${wish} shows the machine to the process, and the rack's policy does not allow that`,
        `remove the key, or ${allowPrivileged}`,
      )
    return true
  })
  return [...new Set(shared.map(({ namespace }) => namespace))].sort()
}
