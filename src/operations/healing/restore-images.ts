import { admitExtra } from '../../domain/admission.ts'
import type { BuildContent, BuiltImages } from '../../domain/build.ts'
import type { Control } from '../../domain/control.ts'
import type { BuildRequest, ImageRequest } from '../../domain/engine.ts'
import { codeOf, RackError } from '../../domain/error.ts'
import { buildDeadlineOf } from '../../domain/parameter.ts'
import type { Plan } from '../../domain/plan.ts'
import { anyPolicy } from '../../domain/policy.ts'
import { buildReservation } from '../../domain/rack.ts'
import { readManifest } from '../../manifest/read-manifest.ts'
import { readBoundSource } from '../bound-source.ts'
import type { Context } from '../context.ts'
import { findKeptSource } from '../kept-sources.ts'
import { imageRequests } from '../image-requests.ts'
import { besideSource, restoredSource } from '../restored-source.ts'
import type { UploadedSource } from '../uploaded-source.ts'

/**
 * Makes the images of a plan again that the engine has lost: those of a registry are pulled by the digest that they had,
 * the others built of the kept source, which the builder's cache makes the same again. Nothing is done where none is lost.
 * @throws image-unavailable where it is not the same image, or cannot be had; as `Engine.build`
 */
export async function restoreImages(
  context: Context,
  plan: Plan,
  types: readonly string[],
  control: Control,
): Promise<void> {
  const isLost = async () => {
    const obstacles = await context.engine.obstacles(plan, new Set(types), control)
    return obstacles.find(({ code }) => code === 'image-unavailable')
  }
  const lost = await isLost()
  if (!lost) return
  const app = plan.owner.name
  context.log('warn', `an image of ${app} is lost, and made again`, { build: plan.build, types })
  const content = await context.store.builds.content(plan.build)
  const request = await requestOf(context, app, plan.build, content, control)
  const made = await context.images.whileMaking(control.signal, async () => {
    using _room = await roomFor(context, app, request.images, control)
    return await context.engine.build(request, control)
  })
  const other = types.filter((type) => made[type]?.reference !== content.images[type]?.reference)
  if (other.length === 0) return
  throw new RackError(
    'image-unavailable',
    `the image of ${other.join(', ')} is lost, and what its source makes now is another one`,
    { hint: `Make it live: rack builds rebuild ${plan.build} --app ${app}` },
  )
}

/** Only a build wants room of the rack. */
async function roomFor(context: Context, app: string, images: ImageRequest[], control: Control) {
  if (images.every(({ build, laid }) => build === null && laid === undefined)) return null
  const ask = (capacity: Parameters<typeof admitExtra>[3]) =>
    admitExtra('build', buildReservation, 1, capacity)
  return await context.admission.admit(app, `a build of ${app}`, ask, control)
}

/** The build as it was asked for then, in the environment of then. */
async function requestOf(
  context: Context,
  app: string,
  build: string,
  content: BuildContent,
  control: Control,
): Promise<BuildRequest> {
  const { store, engine } = context
  const release = (await store.builds.get(app, build))?.release ?? null
  const environment = release === null ? {} : await store.releases.environment(app, release)
  const source = await sourceOf(context, app, content)
  const bound = await readBoundSource(
    context,
    { app, environment, manifest: content.source, source: () => source.open() },
    control,
  )
  const reading = { environment, app, features: engine.features, policy: anyPolicy, lenientVariables: true }
  const { manifest } = readManifest(content.source, reading)
  if (!manifest) throw new RackError('image-unavailable', `the compose file of ${build} is not read any more`)
  return {
    app,
    build,
    images: imageRequests(manifest, bound.content).map((one) => asItWas(one, content.images)),
    source: () => source.open(),
    logins: await store.registries.logins(),
    environment,
    noCache: false,
    deadlineMs: buildDeadlineOf(await store.parameters.get('builds.deadline')),
  }
}

/** A tag may lead elsewhere by now. */
function asItWas(request: ImageRequest, images: BuiltImages): ImageRequest {
  const [type = ''] = request.processes
  const pulled = Object.hasOwn(images, type) ? images[type]?.pulled : undefined
  if (request.image === null || pulled === undefined) return request
  const { pull: _pull, ...rest } = request
  return { ...rest, image: pulled }
}

/** What is pulled needs no source: one that is not kept fails what reads it. */
async function sourceOf(
  context: Context,
  app: string,
  content: BuildContent,
): Promise<Pick<UploadedSource, 'open'>> {
  const { kept } = content
  try {
    if (kept !== null) return restoredSource(await findKeptSource(context, app, kept), besideSource(content))
  } catch (error) {
    if (codeOf(error) !== 'gone') throw error
  }
  return {
    open() {
      throw new RackError('image-unavailable', 'an image is lost, and the source of its build is not kept', {
        hint: `Build it again: rack deploy --app ${app}`,
      })
    },
  }
}
