import type { Mount } from './container.ts'
import { RackError } from './error.ts'
import type { ProcessKind } from './process.ts'

/** Data of an app that outlives its processes and its releases, and the app itself unless it is deleted with it. */
export interface Volume {
  app: string
  /** Its name in the compose file. */
  name: string
  /** RFC 3339; null when the engine does not know. */
  created: string | null
  /** What lies in it; null when it was not asked for, or the engine cannot say. */
  bytes: number | null
  /** The processes that have it, stopped ones too. */
  holders: VolumeHolder[]
}

/** A process that has a volume. */
export interface VolumeHolder {
  /** Process id. */
  process: string
  type: string
  kind: ProcessKind
}

export interface VolumeFilter {
  app?: string
  name?: string
  /** Measure what lies in them: slow where much does. */
  sizes?: boolean
}

/** The named volumes among what a process mounts. */
export function mountedVolumes({ mounts }: { mounts: Mount[] }): string[] {
  return mounts.flatMap((mount) => (mount.kind === 'volume' ? [mount.volume] : []))
}

/** Says who has a volume that was to be removed; `holders` are in words. */
export function heldError(app: string, name: string, holders: string[]): RackError {
  const who = holders.join(', ') || 'something that has let it go by now'
  return new RackError('conflict', `the volume "${name}" of ${app} is held by ${who}`, {
    hint: `See what runs, and what has ended: rack ps --all --app ${app}`,
    details: { app, volume: name, holders },
  })
}

export function noVolumeError(app: string, name: string): RackError {
  return new RackError('not-found', `${app} has no volume "${name}"`, {
    hint: `See them with: rack volumes --app ${app}`,
  })
}

/** `web PABCDEFGHIJ`, or `web (one-off) PABCDEFGHIJ`. */
export function holderText({ process, type, kind }: VolumeHolder): string {
  return kind === 'process' ? `${type} ${process}` : `${type} (${kind}) ${process}`
}
