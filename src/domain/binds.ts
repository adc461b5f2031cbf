import type { DataMount, Mount, ReleaseMount, TypeMount } from './container.ts'
import type { BuildSpec } from './manifest.ts'

/** What a relative bind mount was when the images of its release were made. */
export interface BuiltBind {
  /** In the container. */
  path: string
  /** From the source directory. */
  source: string
  as: 'release' | 'volume'
}

/** A mount that a file names by a path of its own. */
export function isFromSource(mount: TypeMount): mount is DataMount | ReleaseMount {
  return mount.kind === 'release' || (mount.kind === 'volume' && 'source' in mount)
}

/** The relative bind mounts of a type, by path. */
export function bindsOf(mounts: TypeMount[]): BuiltBind[] {
  const binds = mounts.filter(isFromSource).map(({ kind, path, source }) => ({ path, source, as: kind }))
  return binds.sort((a, b) => (a.path < b.path ? -1 : 1))
}

/**
 * Whether content is laid over what the image has at its path, instead of hiding it: so it is where it is, or holds, what
 * the image was built from, since the results of the build lie in the image alone.
 */
export function isLaidOver(source: string, build: Pick<BuildSpec, 'context'> | null): boolean {
  return build !== null && (source === '.' || `${build.context}/`.startsWith(`${source}/`))
}

/** The mount that would hide what the image has at a path, or undefined. */
export function coverOf(path: string, mounts: TypeMount[]): Mount | undefined {
  const above = mounts.filter((mount) => path.startsWith(`${mount.path}/`))
  const [deepest] = above.sort((a, b) => b.path.length - a.path.length)
  // One without a name is filled from the image, and so is the one below.
  return deepest?.kind === 'release' || deepest?.kind === 'discarded' ? undefined : deepest
}

/**
 * What an engine mounts. What is part of the release is in the image; where another mount would hide it, a volume without
 * a name, which is filled from the image, lies over that.
 */
export function mountsToMake(mounts: TypeMount[]): Mount[] {
  return mounts.flatMap((mount): Mount[] => {
    if (mount.kind === 'release') {
      const { path } = mount
      // Docker has no volume without a name that is read-only.
      return coverOf(path, mounts) ? [{ kind: 'discarded', path, readOnly: false }] : []
    }
    if (!isFromSource(mount)) return [mount]
    const { kind, volume, path, readOnly, noCopy } = mount
    return [{ kind, volume, path, readOnly, noCopy }]
  })
}
