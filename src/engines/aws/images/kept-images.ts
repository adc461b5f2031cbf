import type { BuiltImages } from '../../../domain/build.ts'
import type { Control } from '../../../domain/control.ts'
import { RackError } from '../../../domain/error.ts'
import type { RegistryLogin } from '../../../domain/registry.ts'
import { hasManifest } from '../../../aws/registry/manifests.ts'
import { placeOf } from '../../../aws/registry/place.ts'
import { createRegistry } from '../../../aws/registry/registry.ts'
import { RegistryError } from '../../../aws/registry/registry-error.ts'
import { imagesOwner, repositoryName } from '../names.ts'
import type { AwsParts } from '../parts.ts'
import { deleteImages, imagesOf } from './sweep-images.ts'

type Images = Pick<AwsParts, 'images' | 'clients' | 'rack'>
type Signalled = Pick<Control, 'signal'>

/** Those that lie in the account's registry. */
export async function imagesHere(
  { images }: Pick<Images, 'images'>,
  references: string[],
  { signal }: Signalled,
): Promise<Set<string>> {
  const registry = await images.registry(signal)
  const here = new Set<string>()
  for (const image of references) {
    const { host, repository, reference } = placeOf(image)
    if (host !== registry.host) continue
    if (await hasManifest(registry, { repository, digest: reference }, signal)) here.add(image)
  }
  return here
}

/** An image lies in the repository of its app, and stays until that is emptied: nothing but its being there is asked. */
export async function assertHere(parts: Images, images: BuiltImages, control: Signalled): Promise<void> {
  const wanted = Object.entries(images)
  const here = await imagesHere(
    parts,
    wanted.map(([, { reference }]) => reference),
    control,
  )
  const gone = wanted.find(([, { reference }]) => !here.has(reference))
  if (gone) throw new RackError('image-unavailable', `the image of ${gone[0]} is not here`)
}

/** Empties the repository of an app. */
export async function forgetImages(parts: Images, app: string, control: Signalled): Promise<void> {
  const repository = repositoryName(parts.rack, imagesOwner(app))
  await deleteImages(parts, repository, await imagesOf(parts, repository, control), control)
}

/** @throws invalid where the registry refuses the login, or does not answer as one */
export async function tryLogin(login: RegistryLogin, { signal }: Signalled): Promise<void> {
  const { host, username, password } = login
  const registry = createRegistry({ host, account: async () => login, patienceMs: 30_000 })
  try {
    // D: its answer is 200 for whoever may enter.
    await registry.ask({ path: '', repository: '', access: 'pull' }, signal)
  } catch (error) {
    if (signal.aborted || !(error instanceof Error)) throw error
    const isRefused = error instanceof RegistryError && [401, 403].includes(error.status)
    const message = isRefused
      ? `${host} refuses the login of ${username}`
      : `${host} cannot be asked: ${error.message.replaceAll(password, '****')}`
    const hint = isRefused
      ? `Give it again: rack registries add ${host} --username ${username}`
      : 'Is the host right, and does the rack reach it?'
    throw new RackError('invalid', message, { hint, cause: error })
  }
}
