import type { TypeMount } from './container.ts'
import type { ProcessType } from './manifest.ts'

/** Whether two releases of a type may not overlap: both would write a volume, and its file does not ask for it. */
export function isAloneWithVolume({
  mounts,
  deployment,
}: Pick<ProcessType, 'mounts' | 'deployment'>): boolean {
  return !deployment.mayOverlap && writtenVolumes(mounts).length > 0
}

/** Names of the volumes that a process writes, each once. */
export function writtenVolumes(mounts: TypeMount[]): string[] {
  const volumes = mounts.flatMap((mount) =>
    mount.kind === 'volume' && !mount.readOnly ? [mount.volume] : [],
  )
  return [...new Set(volumes)]
}
