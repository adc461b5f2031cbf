import { access } from 'node:fs/promises'
import { timeZoneFiles, type BindMount, type Mount, type TmpfsMount } from '../../../../domain/container.ts'
import { RackError } from '../../../../domain/error.ts'
import type { Owned } from '../../../../domain/owner.ts'
import { isMissing } from '../../../../lib/missing.ts'
import { volumeName } from '../names.ts'

/** What `HostConfig` says of mounts. */
export interface HostMounts {
  Mounts: Record<string, unknown>[]
  /** Options of mount(8) by path: `Mounts` takes only some of them. */
  Tmpfs?: Record<string, string>
}

/** Phrases the mounts of a type. @param volumes further directories that get a volume without a name */
export function hostMounts(of: Owned & { rack: string }, mounts: Mount[], volumes: string[]): HostMounts {
  const inMemory = mounts.filter((mount) => mount.kind === 'tmpfs')
  const others = mounts.filter((mount) => mount.kind !== 'tmpfs')
  const unnamed = volumes.map((Target) => ({ Type: 'volume', Target, ReadOnly: false }))
  return {
    Mounts: [...others.map((mount) => mountOf(of, mount)), ...unnamed],
    ...(inMemory.length > 0 && {
      Tmpfs: Object.fromEntries(inMemory.map((mount) => [mount.path, tmpfsOptions(mount)])),
    }),
  }
}

function mountOf(
  { rack, owner }: Owned & { rack: string },
  mount: Exclude<Mount, TmpfsMount>,
): Record<string, unknown> {
  const { kind, path: Target, readOnly: ReadOnly } = mount
  switch (kind) {
    case 'bind':
      return { Type: 'bind', Source: mount.source, Target, ReadOnly }
    // A volume without a name is filled from the image, and goes with its container.
    case 'discarded':
      return { Type: 'volume', Target, ReadOnly }
    case 'volume': {
      const options = mount.noCopy ? { VolumeOptions: { NoCopy: true } } : {}
      const Source = mount.external ?? volumeName(rack, owner, mount.volume)
      return { Type: 'volume', Source, Target, ReadOnly, ...options }
    }
  }
}

/** Docker adds `noexec,nosuid,nodev` where these do not say otherwise. */
function tmpfsOptions({ readOnly, sizeBytes, mode, options }: TmpfsMount): string {
  return [
    ...(readOnly ? ['ro'] : []),
    ...(sizeBytes === null ? [] : [`size=${sizeBytes}`]),
    ...(mode === null ? [] : [`mode=${mode.toString(8)}`]),
    ...options,
  ].join(',')
}

/** Without the files of the time zone that this machine does not have: not all of them keep `/etc/timezone`. */
export async function presentMounts(mounts: Mount[]): Promise<Mount[]> {
  const isThere = async (mount: Mount) =>
    mount.kind !== 'bind' || !timeZoneFiles.includes(mount.source) || !(await isAbsent(mount.source))
  const kept = await Promise.all(mounts.map(isThere))
  return mounts.filter((_, index) => kept[index])
}

/** Why Docker refused a container, where it is a path of the host: Docker says so in words only, so look. */
export async function explainBinds(error: unknown, mounts: Mount[]): Promise<unknown> {
  if (!(error instanceof RackError && error.code === 'engine-failed')) return error
  for (const mount of mounts) {
    if (mount.kind === 'bind' && (await isAbsent(mount.source))) return missingSource(mount, error)
  }
  return error
}

async function isAbsent(path: string): Promise<boolean> {
  try {
    await access(path)
    return false
  } catch (error) {
    return isMissing(error)
  }
}

function missingSource({ source, path }: BindMount, cause: RackError): RackError {
  return new RackError('engine-failed', `this machine has no ${source}, which is mounted at ${path}`, {
    hint: `Make it where Docker Engine runs: mkdir -p ${source}`,
    cause,
  })
}
