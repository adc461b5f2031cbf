import { randomBytes } from 'node:crypto'
import type { Control } from '../../../domain/control.ts'
import type { Archive } from '../../../domain/engine.ts'
import type { Owner } from '../../../domain/owner.ts'
import { noVolumeError } from '../../../domain/volume.ts'
import { ensureVolumes, findVolumes } from '../containers/volumes.ts'
import { dropImage, makeEmptyImage, momentTag } from '../images/images.ts'
import { lookBriefly } from '../images/look-into-image.ts'
import type { EngineParts } from '../parts.ts'
import { copyFiles } from './copy-files.ts'

/** Where the volume is in the container that stands for it, and how a tar of it begins. */
const place = 'volume'

const leaveMs = 30_000

/**
 * A tar of a volume out of it, or one into it. Docker reads and writes volumes by containers only: one is made of an image
 * that holds nothing, and never runs.
 */
export async function copyVolume(
  parts: Pick<EngineParts, 'docker' | 'rack'>,
  { owner, name, archive }: { owner: Owner; name: string; archive: Archive },
  control: Control,
): Promise<void> {
  const { docker, rack } = parts
  const isRead = 'out' in archive
  if (!isRead) await ensureVolumes(parts, { owner, volumes: [name] }, control)
  const [found] = await findVolumes(parts, { owner, volume: name }, control)
  if (!found) throw noVolumeError(owner, name)
  const mounts = [
    {
      Type: 'volume',
      Source: found.id,
      Target: `/${place}`,
      ReadOnly: isRead,
      VolumeOptions: { NoCopy: true },
    },
  ]
  const image = momentTag(rack, randomBytes(8).toString('hex'))
  try {
    await makeEmptyImage(docker, image, control)
    const app = owner.kind === 'app' ? owner.name : ''
    await lookBriefly(docker, { rack, app, image, user: null, mounts }, control, async (container) => {
      // By its own name from above: Docker leaves the modes of the directory itself that it is told to write into.
      const path = isRead ? `/${place}` : '/'
      await copyFiles(docker, { container, process: `the volume ${name}` }, { path, archive }, control)
    })
  } finally {
    await dropImage(docker, image, { signal: AbortSignal.timeout(leaveMs), report: () => undefined })
  }
}
