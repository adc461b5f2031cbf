import type { Control } from '../../../domain/control.ts'
import type { DockerClient } from '../client.ts'
import { labels } from '../labels.ts'
import type { ImageInspect } from './image-config.ts'
import { findImage, tagImage } from './images.ts'
import { lookBriefly, type LookedAt } from './look-into-image.ts'

/**
 * Names an image on which another may be built without that its triggers run (`ONBUILD`), which are for those who write
 * a Dockerfile on it: the image itself where it has none, otherwise one that is the same but for them.
 * @param tag the name that one gets
 */
export async function withoutTriggers(
  docker: DockerClient,
  of: LookedAt,
  { baseTag, tag }: { baseTag: string; tag: string },
  control: Control,
): Promise<string> {
  const found = await findImage(docker, of.image, control)
  if (!found?.Config?.OnBuild?.length) return baseTag
  const { OnBuild: _triggers, ...config } = found.Config
  const made = await lookBriefly(docker, of, control, async (container) => {
    const path = '/commit'
    const query = { container, pause: false }
    const body = { ...config, Labels: { ...noLabels, ...labelsOf(found) } }
    return await docker.json<{ Id: string }>({ method: 'POST', path, query, body }, control)
  })
  await tagImage(docker, made.Id, tag, control)
  return tag
}

/** What the container that stood for it is labelled with is none of the image's. */
const noLabels = Object.fromEntries(Object.values(labels).map((label) => [label, '']))

function labelsOf({ Config }: ImageInspect): Record<string, string> {
  return Config?.Labels ?? {}
}
