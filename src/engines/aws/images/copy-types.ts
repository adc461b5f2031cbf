import type { BuiltImage } from '../../../domain/build.ts'
import type { Control } from '../../../domain/control.ts'
import type { ImageRequest } from '../../../domain/engine.ts'
import { RackError } from '../../../domain/error.ts'
import { splitReference, wholeName } from '../../../domain/image-name.ts'
import { registryOf, type RegistryLogin } from '../../../domain/registry.ts'
import { copyImage } from '../../../aws/registry/copy-image.ts'
import { nameOf, placeOf } from '../../../aws/registry/place.ts'
import { createRegistry } from '../../../aws/registry/registry.ts'
import { RegistryError } from '../../../aws/registry/registry-error.ts'
import type { AwsParts } from '../parts.ts'
import { settingsOf } from './image-settings.ts'
import { platform } from '../../../aws/registry/own-images.ts'
import { imageFailure } from './image-failure.ts'

export interface CopyOrder {
  request: Pick<ImageRequest, 'processes' | 'image' | 'pull'>
  /** Of the app. */
  repository: string
  logins: RegistryLogin[]
  say: (text: string) => void
}

/** How long a registry may be silent. */
const patienceMs = 30_000

/**
 * Copies what a type names into the account: whatever becomes of its tag, and however often its registry may be asked,
 * every copy of the type starts from it.
 * @throws image-unavailable
 */
export async function copyType(
  { images }: Pick<AwsParts, 'images'>,
  { request, repository, logins, say }: CopyOrder,
  { signal }: Pick<Control, 'signal'>,
): Promise<BuiltImage> {
  const image = request.image ?? ''
  const [type = ''] = request.processes
  const own = await images.registry(signal)
  const place = placeOf(image)
  refuseUnaskable({ type, image, pull: request.pull ?? null, isRacksOwn: isRacksOwn(place, own.host) })
  const login = logins.find(({ host }) => host === registryOf(image)) ?? null
  const registry = createRegistry({ host: place.host, account: async () => login, patienceMs })
  say(`pulling ${image}`)
  const began = performance.now()
  try {
    const found = await copyImage({ registry, ...place, platform }, { registry: own, repository }, signal)
    const settings = await settingsOf(own, { repository, manifest: found.manifest }, signal)
    say(`pulled ${image} in ${((performance.now() - began) / 1000).toFixed(1)}s`)
    return {
      reference: nameOf({ host: own.host, repository }, found.digest),
      digest: found.manifest.config.digest,
      ...settings,
      pulled: `${splitReference(wholeName(image)).repository}@${found.digest}`,
    }
  } catch (error) {
    throw withHint(imageFailure(error, { type, image }, signal), image)
  }
}

/** What the rack has built for an app is no image for others to name. */
function isRacksOwn({ host, repository }: { host: string; repository: string }, ownHost: string): boolean {
  return host === ownHost && repository.startsWith('rack/')
}

interface Wanted {
  type: string
  image: string
  pull: ImageRequest['pull'] | null
  isRacksOwn: boolean
}

function refuseUnaskable({ type, image, pull, isRacksOwn: isOwn }: Wanted): void {
  const refuse = (why: string) =>
    new RackError('image-unavailable', `${type}: the image ${image} cannot be pulled: ${why}`, {
      details: { process: type, image, reason: why },
    })
  if (isOwn) throw refuse('what a rack has built for an app is no image of a registry')
  if (pull === 'never')
    throw refuse('`pull_policy: never` asks no registry, and an account has no images of its own')
}

function withHint(error: unknown, image: string): unknown {
  if (!(error instanceof RackError) || error.code !== 'image-unavailable') return error
  const isPrivate = error.cause instanceof RegistryError && [401, 403].includes(error.cause.status)
  return new RackError('image-unavailable', error.message, {
    hint: isPrivate
      ? `Is it private? Give the rack a login: rack registries add ${registryOf(image)} --username NAME`
      : 'Is the name right, and does the rack reach the registry?',
    details: error.details,
    cause: error.cause,
  })
}
