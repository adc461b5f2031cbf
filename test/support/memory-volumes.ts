import { compareOwners, isSameOwner, ownerKey, type Owner } from '../../src/domain/owner.ts'
import {
  heldError,
  holderText,
  mountedVolumes,
  noVolumeError,
  type Volume,
  type VolumeFilter,
} from '../../src/domain/volume.ts'
import type { Archive } from '../../src/domain/engine.ts'
import type { MemoryCopy } from './memory-copy.ts'
import { copyFiles, type MemoryFile } from './memory-files.ts'

interface MemoryVolume {
  owner: Owner
  name: string
  created: string
  files: Map<string, MemoryFile>
}

/** The volumes of the in-memory engine, and who has them. What lies in them is what was copied in; no process writes there. */
export function createMemoryVolumes(copiesOf: (ownerKey: string) => MemoryCopy[]) {
  let all: MemoryVolume[] = []

  const describe = ({ owner, name, created }: MemoryVolume): Volume => ({
    owner,
    name,
    created,
    bytes: null,
    holders: copiesOf(ownerKey(owner))
      .filter(({ plan }) => mountedVolumes(plan).includes(name))
      .map(({ process: { id, type, kind } }) => ({ process: id, type, kind })),
  })

  const list = ({ owner, name, sizes }: VolumeFilter): Volume[] =>
    all
      .filter((each) => isSameOwner(owner ?? each.owner, each.owner) && (name ?? each.name) === each.name)
      .map((each) => ({ ...describe(each), bytes: sizes ? 0 : null }))
      .sort((a, b) => compareOwners(a.owner, b.owner) || (a.name < b.name ? -1 : 1))

  return {
    list,
    ensure(owner: Owner, names: string[]): void {
      const fresh = names.filter((name) => list({ owner, name }).length === 0)
      all = [
        ...all,
        ...fresh.map((name) => ({ owner, name, created: new Date().toISOString(), files: emptyVolume() })),
      ]
    },
    async copy(owner: Owner, name: string, archive: Archive): Promise<void> {
      if ('in' in archive) this.ensure(owner, [name])
      const found = all.find((each) => isSameOwner(each.owner, owner) && each.name === name)
      if (!found) throw noVolumeError(owner, name)
      await copyFiles(found.files, 'in' in archive ? '/' : '/volume', archive)
    },
    remove(owner: Owner, name: string): void {
      const [found] = list({ owner, name })
      if (!found) throw noVolumeError(owner, name)
      if (found.holders.length > 0) throw heldError(owner, name, found.holders.map(holderText))
      all = all.filter((each) => !(isSameOwner(each.owner, owner) && each.name === name))
    },
    /** Gives how many. */
    removeAll(isMeant: (owner: Owner) => boolean): number {
      const before = all.length
      all = all.filter(({ owner }) => !isMeant(owner))
      return before - all.length
    },
  }
}

function emptyVolume(): Map<string, MemoryFile> {
  return new Map([['/volume', { bytes: Buffer.alloc(0), mode: 0o755, type: 'directory' }]])
}
