/** What the owner of a rack lets processes have beyond their own containers. */
export interface Policy {
  /** Absolute paths of the host: what lies at or below one may be mounted. */
  binds: string[]
  /** Whether a process may be `privileged` or have what amounts to it. */
  privileged: boolean
}

/** A rack that was installed without a word about it. */
export const strictPolicy: Policy = { binds: [], privileged: false }

/** Whether the policy lets a path of the host be mounted; the path is absolute and has no `..`. */
export function allowsBind({ binds }: Policy, path: string): boolean {
  return binds.some((root) => path === root || path.startsWith(root.endsWith('/') ? root : `${root}/`))
}
