import { createHash } from 'node:crypto'
import type { Control } from '../../../domain/control.ts'
import { RackError } from '../../../domain/error.ts'
import type { Owner } from '../../../domain/owner.ts'
import type { ProcessPlan } from '../../../domain/plan.ts'
import { deriveImage } from '../../../aws/registry/derive-image.ts'
import { PathInTheWay } from '../../../aws/registry/image-tree.ts'
import { hasManifest } from '../../../aws/registry/manifests.ts'
import { nameOf, placeOf } from '../../../aws/registry/place.ts'
import type { TaskFiles } from '../definition/task-files.ts'
import { repositoryName } from '../names.ts'
import type { AwsParts } from '../parts.ts'
import { platform } from '../../../aws/registry/own-images.ts'
import { imageFailure } from './image-failure.ts'

/**
 * The image that copies of a type are made from: the plan's, or one that is derived from it by a layer of configs and
 * links, and by its stop signal. Made in the owner's repository, once.
 * @throws unsupported where something of the image is in the place of a file; image-unavailable
 */
export async function imageOf(
  parts: Pick<AwsParts, 'images' | 'rack'>,
  { owner, plan, files: { laid } }: { owner: Owner; plan: ProcessPlan; files: TaskFiles },
  { signal }: Pick<Control, 'signal'>,
): Promise<string> {
  const { image, stopSignal, type } = plan
  if (laid.length === 0 && stopSignal === null) return image
  const { derived } = parts.images
  const place = placeOf(image)
  const repository = repositoryName(parts.rack, owner)
  const key = createHash('sha256')
    .update(JSON.stringify([image, repository, laid, stopSignal]))
    .digest('hex')
  try {
    const registry = await parts.images.registry(signal)
    const known = derived.get(key)
    if (known && (await hasManifest(registry, { repository, digest: known }, signal))) {
      return nameOf({ host: registry.host, repository }, known)
    }
    const from = { registry, repository: place.repository, reference: place.reference, platform }
    const made = await deriveImage(from, { registry, repository }, { files: laid, stopSignal }, signal)
    derived.set(key, made.digest)
    return nameOf({ host: registry.host, repository }, made.digest)
  } catch (error) {
    if (!(error instanceof PathInTheWay)) throw imageFailure(error, { type, image }, signal)
    const message = `the image of ${type} leaves no room for the file ${error.path}: ${error.message}`
    const hint = 'Give it a target in a directory of its own, such as /run/configs/NAME.'
    throw new RackError('unsupported', message, { hint, cause: error })
  }
}
