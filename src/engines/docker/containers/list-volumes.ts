import type { Control } from '../../../domain/control.ts'
import { compareOwners, type Owner } from '../../../domain/owner.ts'
import type { Volume, VolumeFilter, VolumeHolder } from '../../../domain/volume.ts'
import { createSemaphore } from '../../../lib/semaphore.ts'
import { readLabels } from '../labels.ts'
import type { EngineParts } from '../parts.ts'
import { listContainers } from './found-copy.ts'
import { findVolumes } from './volumes.ts'

/** Docker walks through every volume of the machine. */
const measuringDeadlineMs = 170_000

/** What lists the volumes of a rack, by owner and name. */
export function createVolumeList(parts: EngineParts) {
  // Docker refuses to measure for two at once.
  const measuring = createSemaphore(1)
  return async ({ owner, name, sizes }: VolumeFilter, control: Control): Promise<Volume[]> => {
    const filter = { owner, ...(name !== undefined && { volume: name }) }
    const [found, holders, bytes] = await Promise.all([
      findVolumes(parts, filter, control),
      readHolders(parts, owner, control),
      sizes ? measuring.run(() => measure(parts, control), control.signal) : new Map<string, number>(),
    ])
    const volumes = found.map((volume) => ({
      owner: volume.owner,
      name: volume.name,
      created: timeOf(volume.created),
      bytes: bytes.get(volume.id) ?? null,
      holders: holders.get(volume.id) ?? [],
    }))
    return volumes.sort((a, b) => compareOwners(a.owner, b.owner) || compare(a.name, b.name))
  }
}

/** Who has each volume, by Docker's name for it. */
async function readHolders(
  { docker, rack }: EngineParts,
  owner: Owner | undefined,
  control: Control,
): Promise<Map<string, VolumeHolder[]>> {
  const holders = new Map<string, VolumeHolder[]>()
  for (const { Labels, Mounts } of await listContainers(docker, rack, { owner }, control)) {
    const known = readLabels(Labels)
    if (!known) continue
    const { process: processId, type, kind } = known
    for (const { Name } of Mounts ?? []) {
      if (Name) holders.set(Name, [...(holders.get(Name) ?? []), { process: processId, type, kind }])
    }
  }
  return holders
}

async function measure({ docker }: EngineParts, control: Control): Promise<Map<string, number>> {
  // Engines before 23 measure images and containers too.
  const request = { path: '/system/df', query: { type: 'volume' }, deadlineMs: measuringDeadlineMs }
  const { Volumes } = await docker.json<{ Volumes: Measured[] | null }>(request, control)
  const sizes = (Volumes ?? []).map(({ Name, UsageData }) => [Name, UsageData?.Size ?? -1] as const)
  return new Map(sizes.filter(([, bytes]) => bytes >= 0))
}

interface Measured {
  Name: string
  /** -1 when the driver does not say. */
  UsageData?: { Size: number } | null
}

/** Docker writes the machine's own zone. */
function timeOf(text: string | undefined): string | null {
  const ms = Date.parse(text ?? '')
  return Number.isNaN(ms) ? null : new Date(ms).toISOString()
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
