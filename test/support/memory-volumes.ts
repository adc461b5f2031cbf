import {
  heldError,
  holderText,
  mountedVolumes,
  noVolumeError,
  type Volume,
  type VolumeFilter,
} from '../../src/domain/volume.ts'
import type { MemoryCopy } from './memory-copy.ts'

/** The volumes of the in-memory engine: names only, and who has them. Each holds nothing. */
export function createMemoryVolumes(copiesOf: (app: string) => MemoryCopy[]) {
  const apps = new Map<string, Map<string, { created: string }>>()

  const describe = (app: string, name: string, created: string): Volume => ({
    app,
    name,
    created,
    bytes: null,
    holders: copiesOf(app)
      .filter(({ plan }) => mountedVolumes(plan).includes(name))
      .map(({ process: { id, type, kind } }) => ({ process: id, type, kind })),
  })

  const list = ({ app, name, sizes }: VolumeFilter): Volume[] =>
    [...apps]
      .flatMap(([owner, volumes]) =>
        [...volumes].map(([volume, { created }]) => describe(owner, volume, created)),
      )
      .filter((each) => (app ?? each.app) === each.app && (name ?? each.name) === each.name)
      .map((each) => ({ ...each, bytes: sizes ? 0 : null }))
      .sort((a, b) => (`${a.app} ${a.name}` < `${b.app} ${b.name}` ? -1 : 1))

  return {
    list,
    ensure(app: string, names: string[]): void {
      const volumes = apps.get(app) ?? new Map<string, { created: string }>()
      apps.set(app, volumes)
      for (const name of names) {
        if (!volumes.has(name)) volumes.set(name, { created: new Date().toISOString() })
      }
    },
    remove(app: string, name: string): void {
      const [found] = list({ app, name })
      if (!found) throw noVolumeError(app, name)
      if (found.holders.length > 0) throw heldError(app, name, found.holders.map(holderText))
      apps.get(app)?.delete(name)
    },
    /** Gives how many. */
    removeAll(isMeant: (app: string) => boolean): number {
      const meant = [...apps].filter(([app]) => isMeant(app))
      for (const [app] of meant) apps.delete(app)
      return meant.reduce((sum, [, volumes]) => sum + volumes.size, 0)
    },
  }
}
