import { access } from 'node:fs/promises'
import type { BindMount, Mount, TmpfsMount } from '../../../../domain/container.ts'
import { RackError } from '../../../../domain/error.ts'
import { volumeName } from '../names.ts'

/** What `HostConfig` says of mounts. */
export interface HostMounts {
  Mounts: Record<string, unknown>[]
  /** Options of mount(8) by path: `Mounts` takes only some of them. */
  Tmpfs?: Record<string, string>
}

/** Phrases the mounts of a type. @param volumes further directories that get a volume without a name */
export function hostMounts(
  owner: { rack: string; app: string },
  mounts: Mount[],
  volumes: string[],
): HostMounts {
  const inMemory = mounts.filter((mount) => mount.kind === 'tmpfs')
  const others = mounts.filter((mount) => mount.kind !== 'tmpfs')
  const unnamed = volumes.map((Target) => ({ Type: 'volume', Target, ReadOnly: false }))
  return {
    Mounts: [...others.map((mount) => mountOf(owner, mount)), ...unnamed],
    ...(inMemory.length > 0 && {
      Tmpfs: Object.fromEntries(inMemory.map((mount) => [mount.path, tmpfsOptions(mount)])),
    }),
  }
}

function mountOf(
  { rack, app }: { rack: string; app: string },
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
      return { Type: 'volume', Source: volumeName(rack, app, mount.volume), Target, ReadOnly, ...options }
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

/** Why Docker refused a container, where it is a path of the host: Docker says so in words only, so look. */
export async function explainBinds(error: unknown, mounts: Mount[]): Promise<unknown> {
  if (!(error instanceof RackError && error.code === 'engine-failed')) return error
  for (const mount of mounts) {
    if (mount.kind === 'bind' && (await isMissing(mount.source))) return missingSource(mount, error)
  }
  return error
}

async function isMissing(path: string): Promise<boolean> {
  try {
    await access(path)
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT'
  }
}

function missingSource({ source, path }: BindMount, cause: RackError): RackError {
  return new RackError('engine-failed', `this machine has no ${source}, which is mounted at ${path}`, {
    hint: `Make it where Docker Engine runs: mkdir -p ${source}`,
    cause,
  })
}
