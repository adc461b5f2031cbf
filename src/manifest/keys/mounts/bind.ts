import type { BindMount } from '../../../domain/container.ts'
import { allowsBind, type Policy } from '../../../domain/policy.ts'
import type { Problems } from '../../problems.ts'
import { shownPart, type Node } from '../../syntax/tree.ts'

/** What a mount is read with. */
export interface MountContext {
  /** The named volumes of the file; null when any name will do, as in version 1. */
  declared: Set<string> | null
  policy: Policy
  problems: Problems
}

/** Where a bind mount comes from; `at` is the value that says it. */
interface BindSource {
  source: string
  path: string
  readOnly: boolean
  at: Node
}

/** Mounts a path of the host where the policy allows it; a path of the source directory never, since that is not on the rack. */
export function bindOf(bind: BindSource, { policy, problems }: MountContext): BindMount | null {
  const { source, path, readOnly, at } = bind
  if (/(^|[/\\])(docker|containerd|podman)\.sock$/.test(source)) {
    problems.error(
      at,
      `${shownPart(at, source)} is refused: a process gets no access to the rack's engine`,
      'remove it',
    )
    return null
  }
  if (!source.startsWith('/')) {
    problems.error(
      at,
      `${shownPart(at, source)} is refused: ${source.startsWith('~') ? 'your home' : 'the source'} directory is not on the rack`,
      'COPY it in the Dockerfile, or mount a file of it under `configs:`; for data use a named volume: "data:/path"',
    )
    return null
  }
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
