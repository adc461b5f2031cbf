import type { ContainerOptions, Ulimit } from '../../../domain/container.ts'
import { respelling } from '../../nearest.ts'
import type { Place, Problems } from '../../problems.ts'
import { childOf, shownPart, type Node } from '../../syntax/tree.ts'
import { bytesOf, entriesOf, integerOf, pairsOf } from '../values/values.ts'
import { allowPrivileged, type Asking } from './privileges.ts'

type Limits = Pick<ContainerOptions, 'shmBytes' | 'sysctls' | 'ulimits' | 'pids' | 'oomScoreAdj'>

/** What bounds a process beside its memory and CPU. */
export function limitsOf(service: Node, asking: Asking): Limits {
  const { problems } = asking
  return {
    // Docker reads 0 as its own default.
    shmBytes: bytesOf(childOf(service, 'shm_size'), problems) || null,
    sysctls: sysctlsOf(childOf(service, 'sysctls'), problems),
    ulimits: ulimitsOf(childOf(service, 'ulimits'), asking),
    pids: pidsOf(service, problems),
    oomScoreAdj: oomScoreAdjOf(childOf(service, 'oom_score_adj'), asking),
  }
}

const namespaced = /^(net\.[\w./-]+|kernel\.(shm|msg)[\w]*|kernel\.sem|fs\.mqueue\.\w+)$/

function sysctlsOf(node: Node | undefined, problems: Problems): Record<string, string> {
  const sysctls = new Map<string, string>()
  for (const { name, value, at } of pairsOf(node, problems)) {
    if (!namespaced.test(name))
      problems.error(
        at,
        `${shownPart(at, name)} belongs to the whole machine`,
        'a process has its own `net.*`, `kernel.shm*`, `kernel.msg*`, `kernel.sem` and `fs.mqueue.*`',
      )
    else if (value === null || value.trim() === '')
      problems.error(at, `${shownPart(at, name)} has no value`, 'write "net.core.somaxconn=1024"')
    else if (sysctls.has(name))
      problems.error(at, `${shownPart(at, name)} is given twice`, 'keep one of them')
    else sysctls.set(name, value.trim())
  }
  return Object.fromEntries([...sysctls].sort(([a], [b]) => (a < b ? -1 : 1)))
}

const ulimitNames = [
  'core',
  'cpu',
  'data',
  'fsize',
  'locks',
  'memlock',
  'msgqueue',
  'nice',
  'nofile',
  'nproc',
  'rss',
  'rtprio',
  'rttime',
  'sigpending',
  'stack',
]

const range = { min: -1, max: Number.MAX_SAFE_INTEGER }

/** `ulimits:` of a process or a build. */
export function ulimitsOf(node: Node | undefined, asking: Asking): Ulimit[] {
  const { problems } = asking
  const ulimits = entriesOf(node, problems).flatMap(([name, { key, value }]): Ulimit[] => {
    if (!ulimitNames.includes(name)) {
      const hint = () => respelling(name, ulimitNames, `use one of: ${ulimitNames.join(', ')}`)
      problems.error(key, `"${name}" is not a limit`, hint)
      return []
    }
    const limit = value.kind === 'map' ? pairOf(value, problems) : oneOf(value, problems)
    if (limit === null || !mayLimit(name, key, limit, asking)) return []
    if (limit.hard !== -1 && (limit.soft === -1 || limit.soft > limit.hard))
      problems.error(value, 'the soft limit is above the hard one', 'raise `hard`, or lower `soft`')
    if (name === 'rtprio' && limit.hard !== 0 && !asking.policy.privileged)
      problems.policy(
        key,
        "`rtprio` lets the process keep a core from all others, and the rack's policy does not allow that",
        allowPrivileged,
      )
    return [{ name, ...limit }]
  })
  return ulimits.sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** Whether the engine sets this limit so high. */
function mayLimit(name: string, at: Place, { hard }: Omit<Ulimit, 'name'>, { features, problems }: Asking) {
  const { ulimits, openFiles } = features
  if (ulimits !== true && !ulimits.only.includes(name))
    problems.error(at, `the limit "${name}" is refused: ${ulimits.why}`, ulimits.instead)
  else if (name === 'nofile' && openFiles !== true && (hard === -1 || hard > openFiles.most))
    problems.error(at, `the limit is too high: ${openFiles.why}`, openFiles.instead)
  else return true
  return false
}

function oneOf(node: Node, problems: Problems): Omit<Ulimit, 'name'> | null {
  const value = integerOf(node, range, problems)
  if (value !== null) return { soft: value, hard: value }
  if (node.kind === 'scalar' && node.value === null) problems.error(node, 'a limit needs a number')
  return null
}

function pairOf(node: Node, problems: Problems): Omit<Ulimit, 'name'> | null {
  const [softNode, hardNode] = [childOf(node, 'soft'), childOf(node, 'hard')]
  if (!softNode || !hardNode) problems.error(node, 'a limit needs `soft` and `hard`', 'or write one number')
  const soft = integerOf(softNode, range, problems)
  const hard = integerOf(hardNode, range, problems)
  return soft === null || hard === null ? null : { soft, hard }
}

/** `pids_limit` and `deploy.resources.limits.pids` say the same; no limit at all leaves the rack's own. */
function pidsOf(service: Node, problems: Problems): number | null {
  const place = childOf(service, 'pids_limit')
  const old = integerOf(place, range, problems)
  const limits = childOf(childOf(childOf(service, 'deploy'), 'resources'), 'limits')
  const current = integerOf(childOf(limits, 'pids'), range, problems)
  if (place && old !== null && current !== null && old !== current)
    problems.error(place, '`pids_limit` and `deploy.resources.limits.pids` differ', 'keep one of them')
  const pids = current ?? old
  return pids !== null && pids > 0 ? pids : null
}

function oomScoreAdjOf(node: Node | undefined, { policy, problems }: Asking): number | null {
  const score = integerOf(node, { min: -1000, max: 1000 }, problems)
  if (node && score !== null && score < 0 && !policy.privileged)
    problems.policy(
      node,
      "a negative score has other processes killed first, the rack's own too, and the rack's policy does not allow that",
      allowPrivileged,
    )
  return score
}
