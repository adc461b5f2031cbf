import { RackError } from './error.ts'

/** What the owner of a rack lets processes have beyond their own containers. */
export interface Policy {
  /** Absolute paths of the host: what lies at or below one may be mounted. */
  binds: string[]
  /** Whether a process may be `privileged` or have what amounts to it. */
  privileged: boolean
}

/** A rack that was installed without a word about it. */
export const strictPolicy: Policy = { binds: [], privileged: false }

/** Refuses nothing: for reading what is live already, which no change of the policy takes down. */
export const anyPolicy: Policy = { binds: ['/'], privileged: true }

/** Keeps the policy of a rack. */
export interface PolicyKeeper {
  /** What holds for the next build and promote. */
  current(): Policy
  /**
   * Derives the next from the present one, one change at a time; durable when it settles. What `derive` throws comes
   * out as it is, and nothing is changed.
   * @throws invalid for a path that may never be allowed; host-failed when it cannot be kept
   */
  change(derive: (present: Policy) => Policy): Promise<Policy>
}

export interface PolicyChange {
  allowBinds: string[]
  denyBinds: string[]
  /** Null leaves it as it is. */
  privileged: boolean | null
}

/** A path of the host that no process may get, and what it is. */
export interface GuardedPath {
  path: string
  what: string
}

/** Whether the policy lets a path of the host be mounted; the path is absolute and has no `..`. */
export function allowsBind({ binds }: Policy, path: string): boolean {
  return binds.some((root) => isAtOrBelow(path, root))
}

/** Lays a change over a policy; a path that is denied must be one that is allowed. @throws invalid; not-found */
export function changedPolicy(present: Policy, { allowBinds, denyBinds, privileged }: PolicyChange): Policy {
  const denied = denyBinds.map(bindRoot)
  for (const path of denied) refuseUnknown(present, path)
  const kept = present.binds.filter((path) => !denied.includes(path))
  return {
    binds: [...new Set([...kept, ...allowBinds.map(bindRoot)])].sort(),
    privileged: privileged ?? present.privileged,
  }
}

/** A path as a policy keeps it: absolute, no part of it empty or a dot. @throws invalid */
export function bindRoot(text: string): string {
  const parts = text.split('/').filter((part) => part !== '' && part !== '.')
  const isPlain = text.startsWith('/') && !parts.includes('..') && !/\p{Cc}/u.test(text)
  if (!isPlain) {
    throw new RackError('invalid', `${JSON.stringify(text)} is not an absolute path without ".."`, {
      hint: 'Such as /srv/shared: a path of the machine on which the rack runs.',
    })
  }
  if (parts.length > 0) return `/${parts.join('/')}`
  throw new RackError('invalid', 'all of the machine (/) cannot be allowed', {
    hint: 'Name the directory that processes need, such as /srv/shared.',
  })
}

/** Refuses a path by which a process could get what is guarded. @throws invalid */
export function refuseGuarded(path: string, guarded: GuardedPath[]): void {
  const reached = guarded.find((each) => isAtOrBelow(each.path, path) || isAtOrBelow(path, each.path))
  if (!reached) return
  const verb = reached.path === path ? 'is' : isAtOrBelow(reached.path, path) ? 'contains' : 'lies in'
  throw new RackError('invalid', `${path} cannot be allowed: it ${verb} ${reached.what}`, {
    hint: 'Whoever gets that has the whole rack. Name a directory of its own, such as /srv/shared.',
    details: { path, guarded: reached.path },
  })
}

function refuseUnknown(present: Policy, path: string): void {
  if (present.binds.includes(path)) return
  const above = present.binds.find((root) => isAtOrBelow(path, root))
  const allowed = present.binds.join(', ') || 'none'
  throw new RackError('not-found', `${path} is not among the paths that the rack allows: ${allowed}`, {
    hint: above === undefined ? 'See them with: rack policy' : `It lies below one: --deny-bind ${above}`,
  })
}

function isAtOrBelow(path: string, root: string): boolean {
  return path === root || path.startsWith(root.endsWith('/') ? root : `${root}/`)
}
