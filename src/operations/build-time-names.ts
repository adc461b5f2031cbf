import { isFromSource } from '../domain/binds.ts'
import type { Environment } from '../domain/environment.ts'
import { buildsByType } from '../domain/image-name.ts'
import type { Manifest, ManifestSource } from '../domain/manifest.ts'
import { anyPolicy } from '../domain/policy.ts'
import { unseenVariables, type UnseenVariable } from '../domain/unseen-variables.ts'
import { readManifest } from '../manifest/read-manifest.ts'
import type { Context } from './context.ts'
import { findRelease } from './find.ts'

/** Each is tried by a reading of the file. */
const mostTried = 100

/** Which of the names decide what the release's build made: a new value of theirs is in no image until the next build. */
export async function buildTimeNames(
  context: Context,
  app: string,
  release: string,
  changed: { names: string[]; before: Environment },
): Promise<string[]> {
  const { build } = await findRelease(context, app, release)
  if (build === null || changed.names.length === 0) return []
  const [{ source }, after] = await Promise.all([
    context.store.builds.content(build),
    context.store.releases.environment(app, release),
  ])
  const imagesIn = (environment: Environment) => {
    const manifest = readLeniently(context, app, source, environment)
    return manifest && imagesText(manifest, environment)
  }
  const images = imagesIn(after)
  return changed.names.slice(0, mostTried).filter((name) => {
    const { [name]: _now, ...others } = after
    const then = Object.hasOwn(changed.before, name) ? { [name]: changed.before[name]! } : {}
    return imagesIn({ ...others, ...then }) !== images
  })
}

/** Which variables of a release its processes never see, since the rack sets them; none where it has no build. */
export async function unseenOf(context: Context, app: string, release: string): Promise<UnseenVariable[]> {
  const { build } = await findRelease(context, app, release)
  if (build === null) return []
  const environment = await context.store.releases.environment(app, release)
  const { source } = await context.store.builds.content(build)
  const manifest = readLeniently(context, app, source, environment)
  return manifest ? unseenVariables(manifest.processes, environment) : []
}

/** Variables may still be missing, and nothing is refused by a policy. */
function readLeniently(
  { engine }: Context,
  app: string,
  source: ManifestSource,
  environment: Environment,
): Manifest | null {
  const options = { environment, app, features: engine.features, policy: anyPolicy }
  return readManifest(source, { ...options, lenientVariables: true }).manifest
}

/** All that decides the images but the source; an argument without a value has the environment's. */
function imagesText({ processes }: Manifest, environment: Environment): string {
  const builds = buildsByType(processes)
  const images = processes.map(({ name, image, mounts }) => {
    const build = builds.get(name)
    const args = Object.entries(build?.args ?? {}).map(([arg, value]) => [
      arg,
      value ?? (Object.hasOwn(environment, arg) ? environment[arg] : null),
    ])
    return { name, image: build ? { ...build, args } : image, laid: mounts.filter(isFromSource) }
  })
  return JSON.stringify(images)
}
