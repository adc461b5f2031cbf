import type { Mount } from './container.ts'
import { RackError } from './error.ts'
import { appHint, type OfApp, type Owner } from './owner.ts'
import type { ProcessKind } from './process.ts'

/** Data that outlives its owner's processes and releases, and the owner itself unless it is deleted with it. */
export interface Volume {
  owner: Owner
  /** Its name in the compose file. */
  name: string
  /** RFC 3339; null when the engine does not know. */
  created: string | null
  /** What lies in it; null when it was not asked for, or the engine cannot say. */
  bytes: number | null
  /** The processes that have it, stopped ones too. */
  holders: VolumeHolder[]
}

/** As those see it who work with its app. */
export type AppVolume = OfApp<Volume>

/** A process that has a volume. */
export interface VolumeHolder {
  /** Process id. */
  process: string
  type: string
  kind: ProcessKind
}

export interface VolumeFilter {
  owner?: Owner
  name?: string
  /** Measure what lies in them: slow where much does. */
  sizes?: boolean
}

/** The named volumes among what a process mounts. */
export function mountedVolumes({ mounts }: { mounts: Mount[] }): string[] {
  return mounts.flatMap((mount) => (mount.kind === 'volume' ? [mount.volume] : []))
}

/** Says who has a volume that was to be removed; `holders` are in words. */
export function heldError(owner: Owner, name: string, holders: string[]): RackError {
  const who = holders.join(', ') || 'something that has let it go by now'
  return new RackError('conflict', `the volume "${name}" of ${owner.name} is held by ${who}`, {
    ...appHint(owner, 'See what runs, and what has ended: rack ps --all'),
    details: { [owner.kind]: owner.name, volume: name, holders },
  })
}

export function noVolumeError(owner: Owner, name: string): RackError {
  return new RackError('not-found', `${owner.name} has no volume "${name}"`, {
    ...appHint(owner, 'See them with: rack volumes'),
  })
}

/** `web PABCDEFGHIJ`, or `web (one-off) PABCDEFGHIJ`. */
export function holderText({ process: processId, type, kind }: VolumeHolder): string {
  return kind === 'process' ? `${type} ${processId}` : `${type} (${kind}) ${processId}`
}
