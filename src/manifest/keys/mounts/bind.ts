import { timeZoneFiles, type BindMount } from '../../../domain/container.ts'
import type { EngineFeatures } from '../../../domain/features.ts'
import { allowsBind, type Policy } from '../../../domain/policy.ts'
import { itemRemoval } from '../../fix/fix.ts'
import { isThere } from '../../lacks.ts'
import type { Problems } from '../../problems.ts'
import { shownPart } from '../../syntax/tree.ts'
import type { BindVolume } from './bind-volumes.ts'
import { relativeBindOf, type Mounted, type RelativeBind, type SourceContext } from './relative-bind.ts'

/** What a mount is read with. */
export interface MountContext extends SourceContext {
  features: EngineFeatures
  policy: Policy
  /** Volumes that are paths, by their names. */
  bindVolumes: Map<string, BindVolume>
}

/** Mounts a path of the host where the policy allows it; a path from the compose file becomes what the source says. */
export function bindOf(bind: RelativeBind, context: MountContext): Mounted | null {
  const { source, path, readOnly, at } = bind
  const { features, policy, problems } = context
  if (/(^|[/\\])(docker|containerd|podman)\.sock$/.test(source)) {
    problems.error(at, `${shownPart(at, source)} is refused: a process gets no access to the rack's engine`, {
      hint: insteadOfSocket,
      fix: itemRemoval,
    })
    return null
  }
  if (timeZoneFiles.includes(source)) return timeZoneOf(bind, features, problems)
  if (source === '') {
    problems.error(at, 'a bind mount needs `source`, a path')
    return null
  }
  if (source.startsWith('~')) {
    problems.error(
      at,
      `${shownPart(at, source)} is refused: your home directory is not on the rack`,
      'copy it to below the compose file; for data use a named volume: "data:/path"',
    )
    return null
  }
  if (!source.startsWith('/')) return relativeBindOf(bind, context)
  if (!isThere(features.binds, at, `the path ${shownPart(at, source)} of the host`, problems)) return null
  const absolute = normalised(source)
  if (!allowsBind(policy, absolute)) {
    problems.policy(
      at,
      `the path ${shownPart(at, source)} of the host may not be mounted: the rack's policy does not allow it`,
      () => adviceFor(shownPart(at, source) === JSON.stringify(source) ? absolute : 'PATH'),
    )
  }
  return { kind: 'bind', source: absolute, path, readOnly }
}

/** How the processes that want it are done without. */
const insteadOfSocket =
  'the rack does what such a process is for: it routes by host name, restarts, keeps logs (`rack logs`), starts and ' +
  'updates apps (`rack deploy`, `rack run`); remove the line, or the process if it does nothing else'

/** The time zone of the rack, which no process can change. */
function timeZoneOf(
  { source, path, at }: RelativeBind,
  { binds }: EngineFeatures,
  problems: Problems,
): BindMount | null {
  if (binds === true) return { kind: 'bind', source, path, readOnly: true }
  problems.warn(at, `${source} is ignored: processes have the time zone UTC`, 'set TZ under `environment:`')
  return null
}

function adviceFor(path: string): string {
  return (
    `allow it with \`rack policy set --allow-bind ${path}\`, or for a new rack ` +
    `\`rack install --allow-bind ${path}\`; for data use a named volume: "data:/path"`
  )
}

function normalised(path: string): string {
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return `/${parts.join('/')}`
}
